-- One row per transfer and arrival that may be one hand-over.
-- made matched
-- column out_key: The transfer
-- column a: The contact that was transferred
-- column b: The contact that arrived
-- column number_key: The number as it is compared
-- column number: The number as the files or the lease write it
-- column at (UTC): When it was transferred
-- column started_at (UTC): When the contact there began
-- column role: How that contact has the number: dialled or caller
-- column basis: What tells when it was transferred
-- column lease: The lease under which; NULL where none is known
-- column rank: 0 = an id that both carry, or a person; 1 = a lease; 2 = their times alone; 9 = of two leases at once, never chosen
-- column of_transfer: Arrivals that fit the transfer
-- column of_arrival: Transfers that fit the arrival
-- column fate: matched, tied (something else fits as well), left (one of them belongs to another)
WITH leases AS (
  SELECT lease_id, a, number_key, number, at_us, from_us, to_us, twice,
         unnest(range(from_us / 300000000, (to_us - 1) / 300000000 + 1)) AS slot
  FROM internal.journey_leases
), leased AS (
  SELECT concat('lease ', w.lease_id) AS out_key, w.a, i.b, i.number_key, w.number,
         arrow_cast(w.at_us, 'Timestamp(Microsecond, Some("UTC"))') AS at, i.started_at, i.role,
         w.lease_id AS lease, CASE WHEN w.twice THEN 9 ELSE 1 END AS rank
  FROM leases w
  JOIN internal.journey_arrivals i
    ON i.number_key = w.number_key AND CAST(i.started_at AS BIGINT) / 300000000 = w.slot
  WHERE CAST(i.started_at AS BIGINT) >= w.from_us AND CAST(i.started_at AS BIGINT) < w.to_us
    AND w.a <> i.b
), held AS (
  SELECT b, number_key FROM leased GROUP BY b, number_key
), slots AS (
  SELECT i.*, unnest([CAST(i.started_at AS BIGINT) / 300000000 - 1,
                      CAST(i.started_at AS BIGINT) / 300000000,
                      CAST(i.started_at AS BIGINT) / 300000000 + 1]) AS slot
  FROM internal.journey_arrivals i
  LEFT JOIN held h ON h.b = i.b AND h.number_key = i.number_key
  -- Times alone tell only of what no lease tells.
  WHERE h.b IS NULL
), timed AS (
  SELECT o.out_key, o.a, i.b, o.number_key, o.number, o.at, i.started_at, i.role, o.basis
  FROM internal.journey_transfers o
  JOIN slots i ON i.number_key = o.number_key AND i.slot = CAST(o.at AS BIGINT) / 300000000
  WHERE o.lease IS NULL AND i.b <> o.a
    AND CAST(i.started_at AS BIGINT) - CAST(o.at AS BIGINT) BETWEEN o.from_us AND o.to_us
    AND (o.to_platform IS NULL OR split_part(i.source, '/', 2) = o.to_platform)
    AND (o.to_queue IS NULL OR i.queue IS NULL OR i.queue = o.to_queue)
), carriers AS (
  SELECT a AS id, carried FROM internal.journey_carried
  UNION
  SELECT b AS id, carried FROM internal.journey_carried
), persons AS (
  SELECT coalesce(x.id, v.contact_a) AS a, coalesce(y.id, v.contact_b) AS b
  FROM internal.verdicts v
  LEFT JOIN internal.contact_names x ON x.native = v.contact_a
  LEFT JOIN internal.contact_names y ON y.native = v.contact_b
  WHERE v.verdict = 'together'
), sure AS (
  SELECT t.a, t.b
  FROM timed t
  JOIN carriers x ON x.id = t.a
  JOIN carriers y ON y.id = t.b AND y.carried = x.carried
  UNION
  SELECT a, b FROM persons
  UNION
  SELECT b, a FROM persons
), ranked AS (
  SELECT t.out_key, t.a, t.b, t.number_key, t.number, t.at, t.started_at, t.role, t.basis,
         CAST(NULL AS VARCHAR) AS lease, CASE WHEN s.a IS NULL THEN 2 ELSE 0 END AS rank
  FROM timed t
  LEFT JOIN sure s ON s.a = t.a AND s.b = t.b
  UNION ALL
  SELECT out_key, a, b, number_key, number, at, started_at, role, 'lease', lease, rank
  FROM leased
)
SELECT out_key, a, b, number_key, number, at, started_at, role, basis, lease, rank,
       count(*) OVER (PARTITION BY out_key) AS of_transfer,
       count(*) OVER (PARTITION BY b, number_key) AS of_arrival,
       '' AS fate
FROM ranked
