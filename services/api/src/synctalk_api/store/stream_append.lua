-- Append to a streamed text, and take what readers have not been sent yet, unless they were sent something just now.
-- KEYS: state, text, streams of the shard.
-- ARGV: message_id, conversation_id, user_id, at, chars, text, most chars, ms between deltas, keep_s.
-- Returns an outcome (`done`, `unknown`, `forbidden`, `ended`, `gap`, `full`) and how far the text reaches; of what is
-- done also the ms until the next delta may be sent (0: nothing is left to be sent), then where a delta begins, and it.
local state = redis.call('HMGET', KEYS[1], 'conversation', 'user', 'ended', 'chars', 'shown', 'shown_bytes', 'shown_at')
if state[3] then return {'ended', 0} end
if state[1] ~= ARGV[2] then return {'unknown', 0} end
if state[2] ~= ARGV[3] then return {'forbidden', 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[3], now, ARGV[1])
local chars, at, more, text = tonumber(state[4]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if at > chars then return {'gap', chars} end
local skipped = math.min(chars - at, more)
if chars + more - skipped > tonumber(ARGV[7]) then return {'full', chars} end
local from = 1
for _ = 1, skipped do
  local byte = string.byte(text, from)
  from = from + (byte < 128 and 1 or byte < 224 and 2 or byte < 240 and 3 or 4)
end
if more > skipped then
  redis.call('APPEND', KEYS[2], string.sub(text, from))
  chars = redis.call('HINCRBY', KEYS[1], 'chars', more - skipped)
end
local shown = tonumber(state[5])
if shown >= chars then return {'done', chars, 0} end
local wait = tonumber(state[7]) + tonumber(ARGV[8]) - now
if wait > 0 then return {'done', chars, wait} end
local delta = redis.call('GETRANGE', KEYS[2], state[6], -1)
redis.call('HSET', KEYS[1], 'shown', chars, 'shown_bytes', state[6] + #delta, 'shown_at', now)
redis.call('EXPIRE', KEYS[1], ARGV[9])
redis.call('EXPIRE', KEYS[2], ARGV[9])
return {'done', chars, 0, shown, delta}
