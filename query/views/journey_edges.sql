-- One row per reason why two contacts belong to one journey, or might, or should have.
-- made
-- column a: The earlier contact, as a rule
-- column b: The other; NULL where a hand-over reached nobody, or nobody sent this one
-- column relation: transfer, conference, consult, callback, retry, same, carried, handover or verdict
-- column evidence: What says so
-- column strength: stated, strong, weak, person, lost (nobody came) or stray (nobody sent)
-- column at (UTC): When
-- column joined: Whether it joins them
WITH stated AS (
  SELECT coalesce(f.id, l.from_contact) AS a, coalesce(t.id, p.id, l.to_contact) AS b,
         l.kind AS relation,
         concat('the platform states: ', l.kind, ' from ', l.from_contact, ' to ', l.to_contact,
                coalesce(' at ' || CAST(l.at AS VARCHAR), '')) AS evidence,
         l.at
  FROM internal.links l
  LEFT JOIN internal.contact_names f ON f.native = l.from_contact
  LEFT JOIN internal.contact_names t ON t.native = l.to_contact
  -- A whole platform id: platform/instance/native.
  LEFT JOIN internal.contact_names p
    ON p.native = regexp_replace(l.to_contact, '^[a-z0-9_-]+/[^/]*/', '')
), carriers AS (
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
), carried AS (
  SELECT f.a, c.contact_id AS b, c.started_at AS at,
         concat('both carry ', c.carried) AS evidence
  FROM first_carriers f
  JOIN carriers c ON c.carried = f.carried
  WHERE c.contact_id <> f.a
    AND CAST(c.started_at AS BIGINT) - CAST(f.began AS BIGINT) <= 172800000000
), transfers AS (
  SELECT s.contact_id AS a, n.number_key, n.number, n.from_platform, n.from_queue, n.to_platform,
         n.to_queue, n.window_us, s.at, s.queue, s.day
  FROM internal.numbers n
  JOIN (
    -- A talk ends with the transfer; the dialling of the number begins with it.
    SELECT contact_id, number_key(target) AS number_key, queue, day,
           CASE WHEN kind = 'dial' THEN coalesce(started_at, ended_at)
                ELSE coalesce(ended_at, started_at) END AS at
    FROM internal.segments
    WHERE target IS NOT NULL
  ) s ON s.number_key = n.number_key
  WHERE s.at IS NOT NULL
    AND (n.valid_from IS NULL OR s.at >= n.valid_from)
    AND (n.valid_to IS NULL OR s.at < n.valid_to)
    AND (n.from_queue IS NULL OR s.queue IS NULL OR s.queue = n.from_queue)
), told AS (
  SELECT t.*, lag(t.at) OVER (PARTITION BY t.a, t.number_key ORDER BY t.at) AS earlier
  FROM transfers t
  JOIN internal.contacts c ON c.contact_id = t.a AND c.day = t.day
  WHERE t.from_platform IS NULL OR split_part(c.source, '/', 2) = t.from_platform
), outs AS (
  -- Several parts of a contact may tell of one transfer.
  SELECT *, CAST(at AS BIGINT) / 300000000 AS slot
  FROM told
  WHERE earlier IS NULL OR CAST(at AS BIGINT) - CAST(earlier AS BIGINT) > 90000000
), arrivals AS (
  SELECT c.contact_id AS b, c.source, c.started_at, n.number_key, c.queue, 'dialled' AS role,
         c.direction
  FROM internal.numbers n
  JOIN internal.contacts c ON number_key(c.dialled) = n.number_key
  WHERE c.started_at IS NOT NULL
  UNION ALL
  SELECT c.contact_id, c.source, c.started_at, n.number_key, c.queue, 'caller', c.direction
  FROM internal.numbers n
  JOIN internal.contacts c ON number_key(c.customer) = n.number_key
  WHERE c.started_at IS NOT NULL
), slots AS (
  SELECT *, unnest([CAST(started_at AS BIGINT) / 300000000 - 1,
                    CAST(started_at AS BIGINT) / 300000000,
                    CAST(started_at AS BIGINT) / 300000000 + 1]) AS slot
  FROM arrivals
), pairs AS (
  SELECT o.a, i.b, o.number_key, o.number, o.at, i.started_at, i.role
  FROM outs o
  JOIN slots i ON i.number_key = o.number_key AND i.slot = o.slot
  WHERE i.b <> o.a
    -- Where only the answer of the far end is told, the contact there began before: it rang.
    AND CAST(i.started_at AS BIGINT) - CAST(o.at AS BIGINT) BETWEEN -65000000 AND o.window_us
    AND (o.to_platform IS NULL OR split_part(i.source, '/', 2) = o.to_platform)
    AND (o.to_queue IS NULL OR i.queue IS NULL OR i.queue = o.to_queue)
), counted AS (
  SELECT a, b, number_key, number, at, started_at, role,
         count(*) OVER (PARTITION BY a, number_key, at) AS of_transfer,
         count(*) OVER (PARTITION BY b, number_key) AS of_arrival
  FROM pairs
), handed AS (
  SELECT a, b, at,
         concat('transferred to ', number, ' at ', CAST(at AS VARCHAR), '; ', b, ' began at ',
                CAST(started_at AS VARCHAR), ' with that number as ', role,
                CASE WHEN of_transfer > 1
                     THEN concat('; ', CAST(of_transfer AS VARCHAR), ' contacts there fit') ELSE '' END,
                CASE WHEN of_arrival > 1
                     THEN concat('; ', CAST(of_arrival AS VARCHAR), ' transfers fit') ELSE '' END) AS evidence,
         CASE WHEN of_transfer = 1 AND of_arrival = 1 THEN 'strong' ELSE 'weak' END AS strength
  FROM counted
), lost AS (
  SELECT o.a, o.at,
         concat('transferred to ', o.number, ' at ', CAST(o.at AS VARCHAR), '; no contact',
                coalesce(' of ' || o.to_platform, ''), ' began with that number within ',
                CAST(o.window_us / 1000000 AS VARCHAR), ' s') AS evidence
  FROM outs o
  CROSS JOIN internal.clock c
  LEFT JOIN pairs p ON p.a = o.a AND p.number_key = o.number_key AND p.at = o.at
  WHERE p.b IS NULL AND CAST(c.now AS BIGINT) - CAST(o.at AS BIGINT) > o.window_us + 60000000
), strays AS (
  -- Who dials a number of the pool, or calls from one, was sent by the other side. A contact that
  -- went out to the number is itself what sends.
  SELECT i.b, min(i.started_at) AS at, min(n.number) AS number, min(i.role) AS role,
         min(n.from_platform) AS from_platform
  FROM arrivals i
  JOIN internal.numbers n ON n.number_key = i.number_key
  CROSS JOIN internal.clock c
  LEFT JOIN pairs p ON p.b = i.b AND p.number_key = i.number_key
  WHERE p.a IS NULL AND coalesce(i.direction, 'inbound') = 'inbound'
    AND (n.to_platform IS NULL OR split_part(i.source, '/', 2) = n.to_platform)
    AND (n.to_queue IS NULL OR i.queue IS NULL OR i.queue = n.to_queue)
    AND (n.to_platform IS NOT NULL OR n.from_platform IS NULL
         OR split_part(i.source, '/', 2) <> n.from_platform)
    AND (n.valid_from IS NULL OR i.started_at >= n.valid_from)
    AND (n.valid_to IS NULL OR i.started_at < n.valid_to)
    -- The transfer may be told up to so much later: where only the answer is.
    AND CAST(c.now AS BIGINT) - CAST(i.started_at AS BIGINT) > 125000000
  GROUP BY i.b
), unsent AS (
  SELECT b, at,
         concat('began at ', CAST(at AS VARCHAR), ' with ', number, ' as ', role, '; no contact',
                coalesce(' of ' || from_platform, ''), ' was transferred to that number then') AS evidence
  FROM strays
), verdicts AS (
  SELECT coalesce(x.id, v.contact_a) AS a, coalesce(y.id, v.contact_b) AS b, v.verdict,
         concat(v.who, coalesce(' on ' || v.said_at, ''), ' said: ', v.verdict,
                coalesce(', because ' || v.why, '')) AS evidence
  FROM internal.verdicts v
  LEFT JOIN internal.contact_names x ON x.native = v.contact_a
  LEFT JOIN internal.contact_names y ON y.native = v.contact_b
), reasons AS (
  SELECT a, b, relation, evidence, 'stated' AS strength, at FROM stated WHERE a <> b
  UNION ALL
  SELECT a, b, 'carried', evidence, 'strong', at FROM carried
  UNION ALL
  SELECT a, b, 'handover', evidence, strength, at FROM handed
  UNION ALL
  SELECT a, CAST(NULL AS VARCHAR), 'handover', evidence, 'lost', at FROM lost
  UNION ALL
  SELECT u.b AS a, CAST(NULL AS VARCHAR) AS b, 'handover' AS relation, u.evidence, 'stray' AS strength, u.at
  FROM unsent u
  -- An id that was carried along, or a person, may tell who sent it.
  LEFT JOIN (SELECT a AS id FROM carried UNION SELECT b FROM carried
             UNION SELECT a FROM verdicts UNION SELECT b FROM verdicts) k ON k.id = u.b
  WHERE k.id IS NULL
  UNION ALL
  SELECT a, b, 'verdict', evidence, 'person',
         arrow_cast(NULL, 'Timestamp(Microsecond, Some("UTC"))')
  FROM verdicts WHERE verdict = 'together'
), apart AS (
  SELECT CASE WHEN d = 1 THEN a ELSE b END AS a, CASE WHEN d = 1 THEN b ELSE a END AS b, evidence
  FROM (SELECT a, b, evidence, unnest([1, 2]) AS d FROM verdicts WHERE verdict = 'apart')
)
SELECT r.a, r.b, r.relation,
       CASE WHEN x.evidence IS NULL THEN r.evidence
            ELSE concat(r.evidence, '; ', x.evidence) END AS evidence,
       r.strength, r.at,
       r.strength IN ('stated', 'strong', 'person') AND x.evidence IS NULL AS joined
FROM reasons r
LEFT JOIN apart x ON x.a = r.a AND x.b = r.b
