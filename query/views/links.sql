-- One row per link between two contacts.
-- table: links
SELECT * FROM internal.links
