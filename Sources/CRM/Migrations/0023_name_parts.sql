-- SPDX-License-Identifier: Apache-2.0
-- Names are found by any part of them.

-- The planner does not know how rare a part is and would walk the table until enough are found: only trigrams may be used.
create function parties_like(part text, party_kind text, most bigint) returns table (id bigint, name text)
language sql stable rows 20
set enable_seqscan = off
set enable_indexscan = off
set enable_indexonlyscan = off
as $$
  select p.id, p.name
  from party p
  where p.name_norm like '%' || regexp_replace(name_norm(part), '([%_\\])', '\\\1', 'g') || '%'
    and p.kind = party_kind
  limit most
$$;
