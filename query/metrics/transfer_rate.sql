-- title: Transfer rate
-- meaning: Transfers per contact that was handled
-- unit: ratio
-- source: Transfers out / handled, common WFM usage
-- attribution: The contact's last queue and agent; its start
-- base: contacts
-- dims: queue, agent, channel, direction, day
-- needs: talk, transfer
CAST(sum(CASE WHEN cardinality(agents) > 0 THEN transfers ELSE 0 END) AS DOUBLE) / nullif(sum(CASE WHEN cardinality(agents) > 0 THEN 1 ELSE 0 END), 0)
