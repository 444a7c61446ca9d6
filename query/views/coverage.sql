-- Four rows per contact: whether it is closed, recorded, transcribed and tagged, and for each
-- gap the reason.
-- column contact_id: Contact
-- column stage: closed, recorded, transcribed or tagged
-- column state: done; pending (will come); missing (should be there); failed; skipped (on purpose); not_expected
-- column reason: Why it is not done, or what is remarkable about it; never NULL unless done
WITH heard AS (
  SELECT contact_id,
         count(*) AS recordings,
         count(*) FILTER (WHERE state = 'ready') AS ready,
         count(*) FILTER (WHERE state IN ('active', 'paused')) AS running,
         count(*) FILTER (WHERE state = 'failed') AS failed,
         count(*) FILTER (WHERE state = 'deleted') AS deleted,
         max(CASE WHEN state <> 'ready' THEN reason END) AS reason,
         count(*) FILTER (WHERE state = 'ready' AND transcript_state = 'done') AS done,
         count(*) FILTER (WHERE state = 'ready' AND transcript_state = 'failed') AS not_heard,
         count(*) FILTER (WHERE state = 'ready' AND transcript_state = 'skipped') AS skipped,
         max(CASE WHEN transcript_state = 'failed' THEN transcript_reason END) AS failed_reason,
         max(CASE WHEN transcript_state = 'skipped' THEN transcript_reason END) AS skipped_reason,
         max(attempts) FILTER (WHERE transcript_state IS NULL) AS attempts
  FROM callboard.recordings
  GROUP BY contact_id
), said AS (
  SELECT contact_id, count(*) AS turns FROM callboard.turns GROUP BY contact_id
), found AS (
  SELECT contact_id, count(*) AS tags FROM callboard.tags GROUP BY contact_id
), judged AS (
  SELECT c.contact_id, c.state, c.outcome, c.channel,
         coalesce(c.talk_ms, 0) > 0 OR cardinality(c.agents) > 0 AS talked,
         coalesce(h.recordings, 0) AS recordings, coalesce(h.ready, 0) AS ready,
         coalesce(h.running, 0) AS running, coalesce(h.failed, 0) AS failed,
         coalesce(h.deleted, 0) AS deleted, h.reason,
         coalesce(h.done, 0) AS done, coalesce(h.not_heard, 0) AS not_heard,
         coalesce(h.skipped, 0) AS skipped, h.failed_reason, h.skipped_reason,
         coalesce(h.attempts, 0) AS attempts,
         coalesce(s.turns, 0) AS turns, coalesce(f.tags, 0) AS tags
  FROM callboard.contacts c
  LEFT JOIN heard h ON h.contact_id = c.contact_id
  LEFT JOIN said s ON s.contact_id = c.contact_id
  LEFT JOIN found f ON f.contact_id = c.contact_id
), recorded AS (
  SELECT *,
         CASE WHEN ready > 0 THEN 'done'
              WHEN running > 0 THEN 'pending'
              WHEN failed > 0 THEN 'failed'
              WHEN deleted > 0 THEN 'skipped'
              WHEN recordings > 0 THEN 'missing'
              WHEN channel NOT IN ('voice', 'video', 'unknown') THEN 'not_expected'
              WHEN state = 'open' THEN 'pending'
              WHEN talked THEN 'missing'
              ELSE 'not_expected' END AS rec_state,
         CASE WHEN ready > 0 THEN NULL
              WHEN running > 0 THEN concat('the recording has not ended yet', coalesce(concat(': ', reason), ''))
              WHEN failed > 0 THEN concat('the recording failed: ', coalesce(reason, 'no reason was given'))
              WHEN deleted > 0 THEN concat('the recording was deleted', coalesce(concat(': ', reason), ''))
              WHEN recordings > 0 THEN concat('a recording was announced and never arrived', coalesce(concat(': ', reason), ''))
              WHEN channel NOT IN ('voice', 'video', 'unknown') THEN concat('nothing is spoken in a contact by ', channel)
              WHEN state = 'open' THEN 'the contact is still open'
              WHEN talked THEN 'an agent talked, and no recording was announced or delivered'
              ELSE concat('nobody talked: ', coalesce(outcome, 'the contact never reached an agent')) END AS rec_reason
  FROM judged
), heard_out AS (
  SELECT *,
         CASE WHEN rec_state <> 'done' THEN rec_state
              WHEN done + not_heard + skipped < ready THEN 'pending'
              WHEN not_heard > 0 THEN 'failed'
              WHEN done > 0 THEN 'done'
              ELSE 'skipped' END AS txt_state,
         CASE WHEN rec_state <> 'done' THEN rec_reason
              WHEN done + not_heard + skipped < ready AND attempts > 0 THEN concat('being transcribed, attempt ', CAST(attempts AS VARCHAR))
              WHEN done + not_heard + skipped < ready THEN 'waiting in the transcription backlog'
              WHEN not_heard > 0 THEN concat('transcription failed: ', coalesce(failed_reason, 'no reason was given'))
              WHEN done > 0 AND turns = 0 THEN 'no speech was found in the recording'
              WHEN done > 0 AND skipped > 0 THEN concat('one leg was skipped: ', coalesce(skipped_reason, 'no reason was given'))
              WHEN done > 0 THEN NULL
              ELSE concat('skipped: ', coalesce(skipped_reason, 'no reason was given')) END AS txt_reason
  FROM recorded
)
SELECT contact_id, 'closed' AS stage,
       CASE state WHEN 'closed' THEN 'done' WHEN 'lost' THEN 'missing' ELSE 'pending' END AS state,
       CASE state WHEN 'closed' THEN NULL WHEN 'lost' THEN 'its end never came' ELSE 'the contact is still open' END AS reason
FROM heard_out
UNION ALL
SELECT contact_id, 'recorded', rec_state, rec_reason FROM heard_out
UNION ALL
SELECT contact_id, 'transcribed', txt_state, txt_reason FROM heard_out
UNION ALL
SELECT contact_id, 'tagged', txt_state,
       CASE WHEN txt_state = 'done' AND tags = 0 THEN coalesce(txt_reason, 'no rule found anything in it') ELSE txt_reason END
FROM heard_out
