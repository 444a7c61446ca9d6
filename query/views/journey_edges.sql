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
), carried AS (
  SELECT a, b, at, evidence FROM internal.journey_carried
), handed AS (
  SELECT a, b, at,
         concat(CASE WHEN lease IS NULL THEN concat('transferred to ', number, ' at ', CAST(at AS VARCHAR))
                     ELSE concat('lease ', lease, ': ', number, ' for ', a, ' at ', CAST(at AS VARCHAR)) END,
                CASE basis WHEN 'block' THEN ' by a block of its flow' WHEN 'answer' THEN ', when it was answered'
                           ELSE '' END,
                '; ', b, ' began at ', CAST(started_at AS VARCHAR), ' with that number as ', role,
                CASE WHEN rank = 9 THEN '; another lease held that number at the same time' ELSE '' END,
                CASE WHEN of_transfer > 1
                     THEN concat('; ', CAST(of_transfer AS VARCHAR), ' contacts there fit') ELSE '' END,
                CASE WHEN of_arrival > 1
                     THEN concat('; ', CAST(of_arrival AS VARCHAR), ' transfers fit') ELSE '' END,
                CASE WHEN of_transfer + of_arrival = 2 OR rank = 9 THEN ''
                     WHEN fate = 'tied' THEN ', and none of them surely'
                     WHEN rank = 2 THEN ', these two are the nearest in time' ELSE '' END) AS evidence,
         CASE WHEN fate = 'matched' THEN 'strong' ELSE 'weak' END AS strength
  FROM internal.journey_pairs
  WHERE fate <> 'left'
), met AS (
  SELECT out_key, max(CASE WHEN fate = 'left' THEN 0 ELSE 1 END) AS met
  FROM internal.journey_pairs
  GROUP BY out_key
), lost AS (
  SELECT o.a, o.at,
         concat(CASE WHEN o.lease IS NULL THEN concat('transferred to ', o.number)
                     ELSE concat('lease ', o.lease, ': ', o.number, ' for ', o.a) END,
                ' at ', CAST(o.at AS VARCHAR), '; no contact',
                coalesce(' of ' || o.to_platform, ''), ' began with that number within ',
                CAST(o.window_us / 1000000 AS VARCHAR), ' s',
                CASE WHEN p.met IS NULL THEN '' ELSE ' that does not belong to another transfer' END) AS evidence
  FROM internal.journey_transfers o
  CROSS JOIN internal.clock c
  LEFT JOIN met p ON p.out_key = o.out_key
  WHERE coalesce(p.met, 0) = 0
    AND CAST(c.now AS BIGINT) - CAST(o.at AS BIGINT) > o.window_us + 60000000
), came AS (
  SELECT b, number_key, max(CASE WHEN fate = 'left' THEN 0 ELSE 1 END) AS met
  FROM internal.journey_pairs
  GROUP BY b, number_key
), strays AS (
  -- Who dials a number of the pool, or calls from one, was sent by the other side. A contact that
  -- went out to the number is itself what sends.
  SELECT i.b, min(i.started_at) AS at, min(n.number) AS number, min(i.role) AS role,
         min(n.from_platform) AS from_platform, max(p.met) AS met
  FROM internal.journey_arrivals i
  JOIN internal.numbers n ON n.number_key = i.number_key
  CROSS JOIN internal.clock c
  LEFT JOIN came p ON p.b = i.b AND p.number_key = i.number_key
  WHERE coalesce(p.met, 0) = 0 AND coalesce(i.direction, 'inbound') = 'inbound'
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
                coalesce(' of ' || from_platform, ''), ' was transferred to that number then',
                CASE WHEN met IS NULL THEN '' ELSE ' that does not belong to another' END) AS evidence
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
