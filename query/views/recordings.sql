-- One row per recorded leg of a contact; the audio itself is not in SQL.
-- table: recordings
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.recordings t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
