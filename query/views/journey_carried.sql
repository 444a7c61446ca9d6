-- One row per contact that carries the same id as one before it.
-- made
-- column a: The first contact that carries it
-- column b: Another
-- column at (UTC): When the other began
-- column carried: Kind of the id and the id
-- column evidence: What says so
WITH carriers AS (
  SELECT contact_id, started_at, unnest(carried_ids(attributes)) AS carried
  FROM internal.contacts
  WHERE attributes IS NOT NULL AND started_at IS NOT NULL
), first_carriers AS (
  SELECT carried, first_value(contact_id ORDER BY started_at, contact_id) AS a,
         min(started_at) AS began
  FROM carriers
  GROUP BY carried
  -- What many carry is no id of one journey.
  HAVING count(*) BETWEEN 2 AND 20
)
SELECT f.a, c.contact_id AS b, c.started_at AS at, c.carried, concat('both carry ', c.carried) AS evidence
FROM first_carriers f
JOIN carriers c ON c.carried = f.carried
WHERE c.contact_id <> f.a
  AND CAST(c.started_at AS BIGINT) - CAST(f.began AS BIGINT) <= 172800000000
