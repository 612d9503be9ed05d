-- SPDX-License-Identifier: Apache-2.0
-- Lists of accounts as each user wants them: by status and owner at the price of any page, filters with names, columns.

-- a page of one status, however rare, is one range of an index too
alter table party_scope add column status text;
update party_scope s set status = p.status from party p where p.id = s.party_id;
alter table party_scope alter column status set not null;
create index party_scope_status on party_scope (scope_id, status, name_norm, party_id) where is_account;

create or replace function refresh_party_scope(ids bigint[]) returns void language sql as $$
  select pg_advisory_xact_lock(29307, 0);
  delete from party_scope where party_id = any(ids);
  insert into party_scope (scope_id, name_norm, party_id, is_account, status)
  select v.scope_id, p.name_norm, p.id, p.kind = 'organisation' and p.status <> 'other', p.status
  from (
    select id as party_id, 0 as scope_id from unnest(ids) as i(id)
    union all
    select party_id, user_id from party_viewers(ids)
  ) v
  join party p on p.id = v.party_id
  where p.merged_into is null
  on conflict (party_id, scope_id) do update
  set name_norm = excluded.name_norm, is_account = excluded.is_account, status = excluded.status;
$$;

create or replace function follow_parties() returns trigger language plpgsql as $$
declare
  ids bigint[];
begin
  if tg_op = 'DELETE' then
    delete from party_scope s using old_rows o where s.party_id = o.id;
    return null;
  elsif tg_op = 'INSERT' then
    -- most parties are imported and nobody's: their only row is made without asking for more
    insert into party_scope (scope_id, name_norm, party_id, is_account, status)
    select 0, name_norm, id, kind = 'organisation' and status <> 'other', status
    from new_rows
    where merged_into is null;
    select array_agg(id) into ids from new_rows where owner_id is not null or territory_id is not null;
  else
    select array_agg(n.id) into ids
    from new_rows n
    join old_rows o on o.id = n.id
    where (n.name_norm, n.status, n.owner_id, n.territory_id, n.merged_into)
      is distinct from (o.name_norm, o.status, o.owner_id, o.territory_id, o.merged_into);
  end if;
  if ids is not null then
    perform refresh_party_scope(ids);
  end if;
  return null;
end
$$;

-- what somebody looks after, by name
create index party_own on party (owner_id, (name_norm collate "C"), id)
  where owner_id is not null and kind = 'organisation' and status <> 'other' and merged_into is null;

-- filters that users gave names to
create table saved_filter (
  id bigint generated always as identity primary key,
  user_id bigint not null references app_user on delete cascade,
  name text not null check (name <> '' and length(name) <= 60),
  prefix text not null default '' check (length(prefix) <= 100),
  status text,
  whose text not null default 'all' check (whose in ('all', 'mine', 'overdue')),
  -- until then it can be brought back
  deleted_at timestamptz,
  -- what it was called before, so that a change of name can be taken back
  name_before text
);

create unique index saved_filter_name on saved_filter (user_id, name) where deleted_at is null;

-- codes of the columns that a user wants to see, in their order; none = the usual ones
alter table app_user add column account_columns text[];
