-- title: No agent
-- meaning: Stays that left because no agent was there
-- unit: contacts
-- source: Asterisk EXITEMPTY, Teams no agents
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: no_agents
sum(no_agent)
