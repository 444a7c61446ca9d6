-- One row per contact of a journey, with what joins it to one before it, and one per number outside
-- to which it led; and one per contact that might belong to it, or was taken out, and per hand-over
-- that reached nobody.
-- column journey_id: The journey
-- column seq: Place of the step in the journey, from 1; NULL where it is not joined
-- column contact_id: Contact; NULL outside, and where a hand-over reached nobody or nobody sent it
-- column relation: start, outside (a number of which no system tells more), or what joins it: transfer, conference, consult, callback, retry, same (the platform's own), carried (an id that both carry), handover (a number of the pool), verdict (a person)
-- column evidence: What says so: records, attributes, times, numbers
-- column strength: stated (by the platform), strong, weak (several fit: not joined), person (by hand), lost (nobody there), stray (nobody sent it); NULL at the start
-- column from_contact: The contact to which it is joined, or might be
-- column at (UTC): When they met
-- column joined: Whether it belongs to the journey; not where it is weak, lost, or taken apart by hand
-- column outside: The number outside; NULL of a contact
WITH ways AS (
  SELECT CASE WHEN d = 1 THEN a ELSE b END AS x, CASE WHEN d = 1 THEN b ELSE a END AS y,
         relation, evidence, strength, at, joined
  FROM (SELECT a, b, relation, evidence, strength, at, joined, unnest([1, 2]) AS d
        FROM internal.journey_edges)
), outs AS (
  SELECT coalesce(m.journey_id, o.contact_id) AS journey_id, o.contact_id, o.outside, o.evidence, o.at
  FROM internal.journey_outside o
  LEFT JOIN internal.journey_members m ON m.contact_id = o.contact_id
), counted AS (
  -- Contacts of the journey that had begun by then; one that is alone is its own.
  SELECT o.journey_id, o.contact_id, o.outside, o.evidence, o.at,
         greatest(count(m.contact_id), 1) AS contacts
  FROM outs o
  LEFT JOIN internal.journey_members m ON m.journey_id = o.journey_id AND m.started_at <= o.at
  GROUP BY o.journey_id, o.contact_id, o.outside, o.evidence, o.at
), placed AS (
  SELECT journey_id, contact_id, outside, evidence, at,
         CAST(contacts + row_number() OVER (PARTITION BY journey_id
                                            ORDER BY at, contact_id, outside) AS BIGINT) AS seq
  FROM counted
), before AS (
  -- Steps outside that a later contact comes after.
  SELECT m.contact_id, count(*) AS steps
  FROM internal.journey_members m
  JOIN outs o ON o.journey_id = m.journey_id AND o.at < m.started_at
  GROUP BY m.contact_id
), reached AS (
  SELECT m.journey_id, m.seq, m.contact_id, w.relation, w.evidence, w.strength,
         w.y AS from_contact, w.at,
         row_number() OVER (PARTITION BY m.contact_id ORDER BY
           CASE WHEN o.seq < m.seq THEN 0 ELSE 1 END,
           CASE w.strength WHEN 'person' THEN 0 WHEN 'stated' THEN 1 ELSE 2 END,
           o.seq DESC, w.at, w.evidence) AS place
  FROM internal.journey_members m
  JOIN ways w ON w.x = m.contact_id
  JOIN internal.journey_members o ON o.contact_id = w.y
  WHERE m.seq > 1 AND w.joined
)
SELECT r.journey_id, r.seq + coalesce(b.steps, 0) AS seq, r.contact_id, r.relation, r.evidence,
       r.strength, r.from_contact, r.at, TRUE AS joined, CAST(NULL AS VARCHAR) AS outside
FROM reached r
LEFT JOIN before b ON b.contact_id = r.contact_id
WHERE r.place = 1
UNION ALL
SELECT journey_id, seq, CAST(NULL AS VARCHAR) AS contact_id, 'outside' AS relation, evidence,
       'stated' AS strength, contact_id AS from_contact, at, TRUE AS joined, outside
FROM placed
UNION ALL
SELECT journey_id, seq, contact_id, 'start' AS relation, CAST(NULL AS VARCHAR) AS evidence,
       CAST(NULL AS VARCHAR) AS strength, CAST(NULL AS VARCHAR) AS from_contact, started_at AS at,
       TRUE AS joined, CAST(NULL AS VARCHAR) AS outside
FROM internal.journey_members
WHERE seq = 1
UNION ALL
SELECT coalesce(m.journey_id, w.x) AS journey_id, CAST(NULL AS BIGINT) AS seq, w.y, w.relation,
       w.evidence, w.strength, w.x, w.at, FALSE AS joined, CAST(NULL AS VARCHAR) AS outside
FROM ways w
LEFT JOIN internal.journey_members m ON m.contact_id = w.x
WHERE w.x IS NOT NULL AND NOT w.joined
UNION ALL
SELECT c.contact_id AS journey_id, 1 AS seq, c.contact_id, 'start' AS relation,
       CAST(NULL AS VARCHAR) AS evidence, CAST(NULL AS VARCHAR) AS strength,
       CAST(NULL AS VARCHAR) AS from_contact, c.started_at AS at, TRUE AS joined,
       CAST(NULL AS VARCHAR) AS outside
FROM internal.contacts c
WHERE NOT EXISTS (SELECT 1 FROM internal.journey_members m WHERE m.contact_id = c.contact_id)
