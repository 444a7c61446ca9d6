-- One row per transfer of a contact to a number by which one system hands over to another, and per
-- lease of such a number for a contact.
-- made
-- column out_key: Names the transfer
-- column a: The contact that was transferred
-- column number_key: The number as it is compared
-- column number: The number as the files or the lease write it
-- column lease: The lease under which the number was taken for it; NULL where none is known
-- column at (UTC): When: the first of what basis lists that is told
-- column basis: block (the flow's transfer block), lease (the transfer as the lease tells it), told (the dialling, or the end of the talk), answer (only the answer of the far end), allocated (only that the number was taken)
-- column from_us (us): The contact on the other side begins so much after it at the earliest
-- column to_us (us): So much after it at the latest
-- column window_us (us): How long is waited for it
-- column to_platform: Where it leads, as the files say
-- column to_queue: Queue there, likewise
WITH blocks AS (
  -- The flow logs tell when the block began to dial, and not always which number.
  SELECT contact_id, split_part(source, '/', 2) AS platform,
         transfer_block_number(attributes) AS number_key,
         arrow_cast(transfer_block_at(attributes), 'Timestamp(Microsecond, Some("UTC"))') AS at
  FROM internal.contacts
  WHERE attributes LIKE '%aws:transfer_block_at%'
), parts AS (
  -- A talk ends with the transfer; the dialling of the number begins with it.
  SELECT s.contact_id, number_key(s.target) AS number_key, s.queue, s.kind,
         split_part(c.source, '/', 2) AS platform,
         CASE WHEN s.kind = 'dial' THEN coalesce(s.started_at, s.ended_at)
              ELSE coalesce(s.ended_at, s.started_at) END AS at
  FROM internal.segments s
  JOIN internal.contacts c ON c.contact_id = s.contact_id AND c.day = s.day
  WHERE s.target IS NOT NULL AND number_key(s.target) IS NOT NULL
), said AS (
  SELECT contact_id AS a, number_key, queue, platform, at,
         -- Amazon Connect's records tell of a transfer outside by the time of its answer.
         CASE WHEN kind <> 'dial' AND platform = 'amazon-connect' THEN 'answer' ELSE 'told' END AS basis
  FROM parts
  WHERE at IS NOT NULL
  UNION ALL
  SELECT contact_id, number_key, CAST(NULL AS VARCHAR), platform, at, 'block'
  FROM blocks
  WHERE number_key IS NOT NULL AND at IS NOT NULL
  UNION ALL
  SELECT p.contact_id, p.number_key, p.queue, p.platform, b.at, 'block'
  FROM blocks b
  JOIN parts p ON p.contact_id = b.contact_id
  WHERE b.number_key IS NULL AND CAST(p.at AS BIGINT) - CAST(b.at AS BIGINT) BETWEEN 0 AND 90000000
), pool AS (
  SELECT s.a, s.number_key, s.at, s.basis, n.number, n.to_platform, n.to_queue, n.window_us, w.lease_id AS lease
  FROM internal.numbers n
  JOIN said s ON s.number_key = n.number_key
  LEFT JOIN internal.journey_leases w
    ON w.a = s.a AND w.number_key = s.number_key
   AND CAST(s.at AS BIGINT) >= w.from_us AND CAST(s.at AS BIGINT) <= w.to_us + 65000000
  WHERE (n.valid_from IS NULL OR s.at >= n.valid_from)
    AND (n.valid_to IS NULL OR s.at < n.valid_to)
    AND (n.from_queue IS NULL OR s.queue IS NULL OR s.queue = n.from_queue)
    AND (n.from_platform IS NULL OR s.platform = n.from_platform)
  UNION ALL
  SELECT w.a, w.number_key, arrow_cast(w.at_us, 'Timestamp(Microsecond, Some("UTC"))'),
         CASE WHEN w.is_transfer THEN 'lease' ELSE 'allocated' END, w.number,
         CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), w.to_us - w.at_us, w.lease_id
  FROM internal.journey_leases w
  JOIN internal.contacts c ON c.contact_id = w.a
), fresh AS (
  SELECT *, CASE WHEN CAST(at AS BIGINT) - CAST(lag(at) OVER (PARTITION BY a, number_key, lease ORDER BY at)
                                                AS BIGINT) <= 90000000
                 THEN 0 ELSE 1 END AS begins
  FROM pool
), turns AS (
  -- Several parts of a contact may tell of one transfer; all that is told under a lease is one.
  SELECT *, CASE WHEN lease IS NULL
                 THEN sum(begins) OVER (PARTITION BY a, number_key, lease ORDER BY at
                                        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                 ELSE 0 END AS turn
  FROM fresh
), outs AS (
  SELECT a, number_key, lease, min(number) AS number,
         coalesce(min(CASE WHEN basis = 'block' THEN at END), min(CASE WHEN basis = 'lease' THEN at END),
                  min(CASE WHEN basis = 'told' THEN at END), min(CASE WHEN basis = 'answer' THEN at END),
                  min(at)) AS at,
         min(CASE basis WHEN 'block' THEN 1 WHEN 'lease' THEN 2 WHEN 'told' THEN 3
                        WHEN 'answer' THEN 4 ELSE 5 END) AS first_basis,
         max(window_us) AS window_us, min(to_platform) AS to_platform, min(to_queue) AS to_queue
  FROM turns
  GROUP BY a, number_key, lease, turn
)
SELECT CASE WHEN lease IS NULL THEN concat(a, ' ', CAST(CAST(at AS BIGINT) AS VARCHAR))
            ELSE concat('lease ', lease) END AS out_key,
       a, number_key, number, lease, at,
       CASE first_basis WHEN 1 THEN 'block' WHEN 2 THEN 'lease' WHEN 3 THEN 'told' WHEN 4 THEN 'answer'
                        ELSE 'allocated' END AS basis,
       -- Clocks differ by five seconds; where only the answer is told, it rang there before.
       CASE WHEN first_basis = 4 THEN -65000000 ELSE -5000000 END AS from_us,
       CASE WHEN first_basis = 4 THEN 5000000 ELSE window_us END AS to_us,
       window_us, to_platform, to_queue
FROM outs
