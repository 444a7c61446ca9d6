-- One row per other name of a contact, an agent or a queue.
-- table: aliases
SELECT * FROM internal.aliases
