-- title: Agent pause time
-- meaning: Time paused, unless busy with a contact meanwhile
-- unit: ms
-- source: Asterisk pause, Amazon Connect non-productive time
-- attribution: Agent time is split exactly at the quarter's borders
-- base: agent_time
-- dims: agent, interval_start
-- needs: pause, ~talk
sum(CASE WHEN state IN ('paused') THEN ms ELSE 0 END)
