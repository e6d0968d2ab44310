-- Takes a token out of a bucket, and answers the microseconds to wait for it.
-- KEYS[1]: the bucket, a hash of `last` and `tokens`, in this order: Traefik reads it by place.
-- ARGV: tokens that come in a microsecond, the most that it holds, the seconds that it is kept,
-- now and the longest wait in microseconds.
local rate, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local now, longest = tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = redis.call('HMGET', KEYS[1], 'last', 'tokens')
local last = math.min(tonumber(kept[1] or 0), now)
local tokens = math.min(tonumber(kept[2] or 0) + rate * (now - last), most) - 1
local wait = math.max(-tokens / rate, 0)
if wait > longest then
    tokens = math.min(tokens + 1, most)
end
redis.call('HSET', KEYS[1], 'last', ARGV[4], 'tokens', tokens)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return tostring(wait)
