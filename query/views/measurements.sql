-- One row per measurement on a contact: quality of a call, sentiment, a score. Identity: source,
-- participant, name, time.
-- table: measurements
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.measurements t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
