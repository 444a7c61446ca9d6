-- One row per contact that is joined to another, with its place in the journey.
-- made
-- column root: The least id of the journey's contacts
-- column journey_id: The journey: the id of its first contact
-- column seq: Place, from 1
-- column contact_id: Contact
-- column source: Where it was told of
-- column started_at (UTC): First sign
-- column ended_at (UTC): End
-- column outcome: Outcome
SELECT r.root,
       first_value(c.contact_id) OVER (PARTITION BY r.root ORDER BY c.started_at, c.contact_id) AS journey_id,
       CAST(row_number() OVER (PARTITION BY r.root ORDER BY c.started_at, c.contact_id) AS BIGINT) AS seq,
       c.contact_id, c.source, c.started_at, c.ended_at, c.outcome
FROM internal.journey_roots r
JOIN internal.contacts c ON c.contact_id = r.contact_id
