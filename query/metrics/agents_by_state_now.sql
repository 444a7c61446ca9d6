-- title: Agents by state
-- meaning: Agents in each state now
-- unit: agents
-- source: Live, from agent_intervals
-- attribution: Now
-- base: now_agents
-- dims: state, reason, agent
-- needs: states_now, ~talk, ~wrap_up, ~offers
count(*)
