-- One row per part of a contact: menu, bot, queue, dial, talk, hold, park, monitor, share, wrapup, voicemail, callback, message.
-- table: segments
SELECT * FROM internal.segments
