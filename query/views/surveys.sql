-- One row per answer of a customer to a survey question.
-- table: surveys
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.surveys t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
