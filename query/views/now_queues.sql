-- One row per queue seen today or yesterday: who waits in it now.
-- column queue: Queue
-- column waiting: Contacts waiting now
-- column longest_wait_ms (ms): Longest wait of those who wait now; NULL when nobody waits
-- column oldest_entered_at (UTC): Entry of the one who waits longest
-- column oldest_contact: The one who waits longest
WITH seen AS (
  SELECT queue, CASE WHEN state = 'open' THEN contact_id END AS contact_id,
         CASE WHEN state = 'open' THEN started_at END AS started_at
  FROM internal.segments_recent
  WHERE kind = 'queue' AND queue IS NOT NULL AND started_at IS NOT NULL
), waits AS (
  SELECT queue, count(started_at) AS waiting, min(started_at) AS oldest_entered_at,
         first_value(contact_id ORDER BY started_at NULLS LAST, contact_id) AS oldest_contact
  FROM seen
  GROUP BY queue
)
SELECT w.queue, w.waiting,
       CASE WHEN w.oldest_entered_at IS NOT NULL
            THEN greatest(0, CAST(c.now AS BIGINT) - CAST(w.oldest_entered_at AS BIGINT)) / 1000 END AS longest_wait_ms,
       w.oldest_entered_at, w.oldest_contact
FROM waits w CROSS JOIN internal.clock c
