-- One row per part of a contact: menu, bot, queue, dial, talk, hold, park, monitor, share, wrapup, voicemail, callback, message.
-- table: segments
SELECT s.* REPLACE (coalesce(n.id, s.agent) AS agent)
FROM internal.agent_names n
RIGHT JOIN internal.segments s
  ON n.device = s.agent AND n.day = s.day AND starts_with(s.contact_id, n.prefix)
