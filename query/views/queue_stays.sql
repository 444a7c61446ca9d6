-- One row per stay of a contact in a queue, with what became of it and the talks that followed:
-- what every figure of a queue is counted from.
-- A talk or wrap-up belongs to the contact's last stay in its queue before it.
-- recent
-- column contact_id: Contact
-- column seq: Number of the stay among the contact's segments
-- column queue: Queue
-- column entered_at (UTC): Entry into the queue
-- column left_at (UTC): Way out of the queue; NULL while waiting or lost
-- column interval_start (UTC): Quarter of an hour in which the stay entered; every figure of it counts there
-- column wait_ms (ms): Waiting; NULL while it lasts and when its end never came
-- column result: answered, abandoned, timed_out, overflowed, no_agent, left_other, lost, waiting; or refused, which is outside offered
-- column in_target: Ended within the threshold
-- column short: Ended within the short threshold
-- column threshold_ms (ms): Service level threshold in force at entry; 20 s where the queue has no target
-- column short_ms (ms): Short-abandon threshold in force at entry; 5 s where the queue has no target
-- column variant: Formula of the service level in force at entry; answered where the queue has no target
-- column goal: Share to reach in force at entry, 0 to 1; NULL where the queue has no target or it names none
-- column outcome: Outcome of the stay, the finer word
-- column raw_outcome: The platform's own word for the outcome
-- column target_kind: For a redirection: what it led to
-- column target: For a redirection: where it led
-- column agent: Agent of the last talk that followed
-- column talk_ms (ms): Talks that followed and have ended, holds included
-- column talk_count: Talks that followed and have ended
-- column hold_ms (ms): Holds in those talks; NULL when the source cannot tell
-- column wrap_ms (ms): Wrap-up after those talks; NULL when the source cannot tell
-- column day: UTC day of the contact's partition; a bound on it reads less
WITH parts AS (
  SELECT contact_id, seq, kind, queue, agent, started_at, ended_at, outcome, raw_outcome,
         target_kind, target, state, hold_ms, day,
         coalesce(duration_ms, CASE WHEN ended_at IS NOT NULL AND started_at IS NOT NULL
           THEN greatest(0, CAST(ended_at AS BIGINT) - CAST(started_at AS BIGINT)) / 1000 END) AS ms,
         queue_stay(kind, seq) OVER (PARTITION BY day, contact_id, queue ORDER BY seq) AS stay
  FROM internal.segments
  WHERE kind IN ('queue', 'talk', 'wrapup') AND queue IS NOT NULL
), stays AS (
  SELECT p.day, p.contact_id, p.queue, p.stay AS seq,
         max(CASE WHEN p.kind = 'queue' THEN p.started_at END) AS entered_at,
         max(CASE WHEN p.kind = 'queue' THEN p.ended_at END) AS left_at,
         max(CASE WHEN p.kind = 'queue' THEN p.ms END) AS ms,
         max(CASE WHEN p.kind = 'queue' THEN p.state END) AS state,
         max(CASE WHEN p.kind = 'queue' THEN p.outcome END) AS outcome,
         max(CASE WHEN p.kind = 'queue' THEN p.raw_outcome END) AS raw_outcome,
         max(CASE WHEN p.kind = 'queue' THEN p.target_kind END) AS target_kind,
         max(CASE WHEN p.kind = 'queue' THEN p.target END) AS target,
         last_value(CASE WHEN p.kind = 'talk' THEN p.agent END ORDER BY p.kind = 'talk', p.seq) AS agent,
         sum(CASE WHEN p.kind = 'talk' THEN p.ms END) AS talk_ms,
         count(CASE WHEN p.kind = 'talk' THEN p.ms END) AS talk_count,
         sum(CASE WHEN p.kind = 'talk' THEN p.hold_ms END) AS hold_ms,
         sum(CASE WHEN p.kind = 'wrapup' THEN p.ms END) AS wrap_ms,
         max(t.threshold_ms) AS threshold_ms, max(t.short_ms) AS short_ms,
         max(t.variant) AS variant, max(t.goal) AS goal
  FROM parts p
  LEFT JOIN callboard.target_spans t
    ON t.queue = p.queue AND p.kind = 'queue' AND p.started_at >= t.begins AND p.started_at < t.ends
  WHERE p.stay IS NOT NULL
  GROUP BY p.day, p.contact_id, p.queue, p.stay
), judged AS (
  SELECT contact_id, seq, queue, entered_at, left_at, outcome, raw_outcome, target_kind, target,
         agent, talk_ms, talk_count, hold_ms, wrap_ms, day,
         arrow_cast(CAST(entered_at AS BIGINT) / 900000000 * 900000000, 'Timestamp(Microsecond, Some("UTC"))') AS interval_start,
         coalesce(threshold_ms, 20000) AS threshold_ms,
         coalesce(short_ms, 5000) AS short_ms,
         coalesce(variant, 'answered') AS variant, goal,
         CASE WHEN state = 'lost' THEN 'lost'
              WHEN outcome = 'refused' THEN 'refused'
              WHEN state = 'open' THEN 'waiting'
              WHEN outcome = 'answered' THEN 'answered'
              WHEN outcome IN ('abandoned', 'error') THEN 'abandoned'
              WHEN outcome = 'timeout' THEN 'timed_out'
              WHEN outcome = 'overflow' THEN 'overflowed'
              WHEN outcome = 'no_agents' THEN 'no_agent'
              ELSE 'left_other' END AS result,
         CASE WHEN state IN ('lost', 'open') THEN NULL ELSE ms END AS wait_ms
  FROM stays
  WHERE entered_at IS NOT NULL
)
SELECT contact_id, seq, queue, entered_at, left_at, interval_start, wait_ms, result,
       wait_ms <= threshold_ms AS in_target, wait_ms <= short_ms AS short,
       threshold_ms, short_ms, variant, goal, outcome, raw_outcome, target_kind, target, agent,
       talk_ms, talk_count, hold_ms, wrap_ms, day
FROM judged
