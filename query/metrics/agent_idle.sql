-- title: Agent idle time
-- meaning: Time available and without a contact
-- unit: ms
-- source: Amazon Connect agent idle time
-- attribution: Agent time is split exactly at the quarter's borders
-- base: agent_time
-- dims: agent, interval_start
-- needs: login, ~talk, ~wrap_up, ~offers, ~pause
sum(CASE WHEN state IN ('available') THEN ms ELSE 0 END)
