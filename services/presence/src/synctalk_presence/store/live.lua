-- Which persons of one shard have a live connection at this moment.
-- KEYS: each person's leases.  ARGV: none.
-- Returns for each person 1 or 0.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}
for i, leases in ipairs(KEYS) do
  answers[i] = redis.call('ZCOUNT', leases, '(' .. now, '+inf') > 0 and 1 or 0
end
return answers
