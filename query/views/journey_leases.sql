-- One row per lease of a number for a contact that is named.
-- made
-- column lease_id: The lease
-- column a: The contact for which it was taken
-- column number_key: The number as it is compared
-- column number: The number as it was told
-- column at_us (us): When it was transferred, else when the number was taken, UTC microseconds
-- column is_transfer: Whether at_us is the time of the transfer
-- column from_us (us): From when the contact on the other side may begin
-- column to_us (us): Until when, not included
-- column twice: Whether another lease held the number at the same time
SELECT w.lease_id, coalesce(n.id, w.contact_id) AS a, w.number_key, w.number, w.at_us, w.is_transfer,
       w.from_us, w.to_us, w.twice
FROM internal.lease_windows w
LEFT JOIN internal.contact_names n ON n.native = w.contact_id
WHERE w.contact_id IS NOT NULL
