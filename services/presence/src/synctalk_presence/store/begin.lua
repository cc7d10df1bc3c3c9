-- Nobody counts as connected, so nobody's lease can have been missed: that nobody looked so far is no outage.
-- KEYS: sweep.  ARGV: none.
-- Returns nothing.
local time = redis.call('TIME')
redis.call('HSETNX', KEYS[1], 'at', time[1] * 1000 + math.floor(time[2] / 1000))
