-- One row per lease of a number and five minutes that its window touches, to find by an equal value
-- the lease under which a contact arrived.
-- made
-- column lease_id: The lease
-- column number_key: The number as it is compared
-- column customer: Its customer
-- column from_us (us): From when the contact on the other side may begin
-- column to_us (us): Until when, not included
-- column twice: Whether another lease held the number at the same time
-- column slot: Five minutes, counted from 1970
SELECT lease_id, number_key, customer, from_us, to_us, twice, slot
FROM (SELECT lease_id, number_key, customer, from_us, to_us, twice,
             unnest(range(from_us / 300000000, (to_us - 1) / 300000000 + 1)) AS slot
      FROM internal.lease_windows)
ORDER BY from_us DESC, lease_id, slot
LIMIT 1000000
