-- title: Waiting now
-- meaning: Contacts waiting in the queue now
-- unit: contacts
-- source: Live count of open stays
-- attribution: Now
-- base: now_queues
-- dims: queue
-- needs: waiting
sum(waiting)
