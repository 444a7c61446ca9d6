-- One row per turn of a transcript: one person speaking without a longer pause.
-- table: turns
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.turns t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
