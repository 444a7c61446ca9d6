-- One row per question of an evaluation, and one for the evaluation as a whole (question_id NULL).
-- table: evaluations
SELECT t.* REPLACE (coalesce(n.id, t.contact_id) AS contact_id)
FROM internal.evaluations t
LEFT JOIN internal.contact_names n ON n.native = t.contact_id
