-- One row per lease of a number, with the time in which a contact that arrives with that number was
-- handed over under it: from the allocation to the release or expiry, with five seconds for clocks
-- that differ, such that the windows of leases one after the other do not overlap.
-- made
-- column lease_id: The lease
-- column number_key: The number as it is compared
-- column number: The number as it was told
-- column contact_id: The contact for which it was taken, as it was told
-- column customer: Its customer
-- column at_us (us): When it was transferred, else when the number was taken, UTC microseconds
-- column is_transfer: Whether at_us is the time of the transfer
-- column from_us (us): From when the contact on the other side may begin
-- column to_us (us): Until when, not included
-- column twice: Whether another lease held the number at the same time: then nobody can tell
WITH told AS (
  SELECT l.lease_id, number_key(l.number) AS number_key, l.number, l.contact_id, l.customer,
         CAST(l.allocated_at AS BIGINT) AS begins, CAST(l.transferred_at AS BIGINT) AS transferred,
         -- Whoever tells neither of release nor expiry means three minutes; none holds for an hour.
         least(coalesce(CAST(l.released_at AS BIGINT), CAST(l.expires_at AS BIGINT),
                        CAST(l.allocated_at AS BIGINT) + 180000000),
               coalesce(CAST(l.expires_at AS BIGINT), CAST(l.released_at AS BIGINT),
                        CAST(l.allocated_at AS BIGINT) + 180000000),
               CAST(l.allocated_at AS BIGINT) + 3600000000) AS ends
  FROM internal.leases l
), ordered AS (
  SELECT *,
         max(ends) OVER (PARTITION BY number_key ORDER BY begins, lease_id
                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_us,
         lead(begins) OVER (PARTITION BY number_key ORDER BY begins, lease_id) AS next_us
  FROM told
  WHERE number_key IS NOT NULL AND ends >= begins
)
SELECT lease_id, number_key, number, contact_id, customer,
       coalesce(transferred, begins) AS at_us, transferred IS NOT NULL AS is_transfer,
       CASE WHEN before_us IS NULL THEN begins - 5000000
            WHEN before_us + 5000000 <= begins THEN greatest(begins - 5000000, before_us + 5000000)
            ELSE begins END AS from_us,
       CASE WHEN next_us IS NULL THEN ends + 5000000
            ELSE least(ends + 5000000, greatest(next_us, ends)) END AS to_us,
       coalesce(before_us > begins, FALSE) OR coalesce(next_us < ends, FALSE) AS twice
FROM ordered
-- The newest: each question for contacts reads them.
ORDER BY from_us DESC, lease_id
LIMIT 500000
