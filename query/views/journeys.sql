-- One row per journey of a customer: the contacts that are joined across platforms, and each contact
-- that is joined to none as a journey of its own. What joins them is told in journey_steps.
-- column journey_id: The journey: the id of its first contact
-- column started_at (UTC): First sign of its first contact
-- column ended_at (UTC): End of the contact that ended last; NULL while one is open or lost
-- column contacts: Number of its contacts
-- column platforms: Platforms in order
-- column outcome: Outcome of its last contact
WITH parts AS (
  SELECT journey_id, split_part(source, '/', 2) AS platform, min(seq) AS first_seq,
         max(seq) AS last_seq, min(started_at) AS started_at,
         max(ended_at) AS ended_at, count(*) AS contacts, count(ended_at) AS ended,
         last_value(outcome ORDER BY seq) AS outcome
  FROM internal.journey_members
  GROUP BY journey_id, split_part(source, '/', 2)
)
SELECT journey_id, min(started_at) AS started_at,
       CASE WHEN sum(contacts) = sum(ended) THEN max(ended_at) END AS ended_at,
       sum(contacts) AS contacts, array_agg(platform ORDER BY first_seq) AS platforms,
       last_value(outcome ORDER BY last_seq) AS outcome
FROM parts
GROUP BY journey_id
UNION ALL
SELECT c.contact_id, c.started_at, c.ended_at, 1, make_array(split_part(c.source, '/', 2)), c.outcome
FROM internal.contacts c
WHERE NOT EXISTS (SELECT 1 FROM internal.journey_members m WHERE m.contact_id = c.contact_id)
