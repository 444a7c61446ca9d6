-- One row per finding in a transcript: a keyword, the sentiment of the call, a redaction.
-- table: tags
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.tags t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
