-- One row per reviewer's note on a turn or on a contact.
-- table: notes
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.notes t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
