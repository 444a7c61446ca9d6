-- title: Longest wait now
-- meaning: Longest wait of those who wait now
-- unit: ms
-- source: Live, from the entry of the oldest open stay
-- attribution: Now
-- base: now_queues
-- dims: queue
-- needs: waiting
max(longest_wait_ms)
