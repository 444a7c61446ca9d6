-- One row per contact that is joined to another, with the least of those that it is joined to,
-- however far around.
-- made groups
-- column contact_id: Contact
-- column root: The least of them
SELECT a, b FROM internal.journey_edges WHERE joined
