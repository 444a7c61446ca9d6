-- title: Timed out
-- meaning: Stays that left by the queue's maximum wait, wherever they went
-- unit: contacts
-- source: Asterisk EXITWITHTIMEOUT, Twilio workflow.timeout
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: timeout
sum(timed_out)
