-- One row per lease of a number by which one system hands a contact over to another: taken from a
-- pool for one contact, and free again when it has arrived there.
-- table: leases
SELECT * FROM internal.leases
