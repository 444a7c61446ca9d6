-- title: Agent talk time
-- meaning: Time in conversation, without holds
-- unit: ms
-- source: Own split of agent time; holds stand apart
-- attribution: Agent time is split exactly at the quarter's borders
-- base: agent_time
-- dims: agent, interval_start
-- needs: talk, ~hold
sum(CASE WHEN state IN ('talk') THEN ms ELSE 0 END)
