-- SPDX-License-Identifier: Apache-2.0
-- Who works here, how they prove it, and which parties each of them sees.

create table team (
  id int generated always as identity primary key,
  name text not null unique check (name <> ''),
  parent_id int references team
);

create table app_user (
  id bigint generated always as identity primary key,
  login text collate "C" not null unique check (login ~ '^[a-z0-9][a-z0-9._@-]{0,62}$'),
  name text not null check (name <> ''),
  role text not null check (role in ('rep', 'back_office', 'manager', 'it')),
  -- may do everything about people and settings; sees clients only as the role says
  is_admin boolean not null default false,
  -- for people of IT, who see no client otherwise
  sees_clients boolean not null default false,
  team_id int references team,
  -- scrypt$LOG2N$R$P$SALT$KEY; none = signs in by other means, or not yet
  password text,
  language text check (language in ('fr', 'en')),
  theme text not null default 'auto' check (theme in ('auto', 'light', 'dark')),
  single_keys boolean not null default true,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  version int not null default 1
);

create index app_user_team on app_user (team_id) where team_id is not null;

-- a link that lets somebody set a password, once; without a user, the first administrator
create table sign_in_link (
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id bigint references app_user on delete cascade,
  expires_at timestamptz not null
);

create table session (
  token_hash bytea primary key check (length(token_hash) = 32),
  user_id bigint not null references app_user on delete cascade,
  made_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);

create index session_owner on session (user_id);
create index session_expires on session (expires_at);

-- failures to sign in, by login and by address; whoever failed often waits
create table sign_in_failure (
  key text collate "C" primary key,
  failures int not null,
  last_at timestamptz not null,
  blocked_until timestamptz
);

-- passwords of devices and tokens of programs: shown once, kept as hashes
create table access_token (
  id bigint generated always as identity primary key,
  user_id bigint not null references app_user on delete cascade,
  kind text not null check (kind in ('app_password', 'api')),
  label text not null check (label <> ''),
  token_hash bytea not null unique check (length(token_hash) = 32),
  scopes text[] not null default '{}',
  made_at timestamptz not null default now(),
  used_at timestamptz,
  revoked_at timestamptz
);

create index access_token_user on access_token (user_id);

-- who saw or did what: ids and codes, never values
create table audit (
  id bigint generated always as identity,
  at timestamptz not null default now(),
  day date not null default current_date,
  user_id bigint,
  action text not null,
  entity text,
  entity_id bigint,
  facts jsonb not null default '{}',
  primary key (at, id)
) partition by range (at);

create table audit_default partition of audit default;
create index audit_user on audit (user_id, at desc);
create index audit_entity on audit (entity, entity_id, at desc);

create table territory (
  id int generated always as identity primary key,
  name text not null unique check (name <> ''),
  parent_id int references territory,
  owner_id bigint references app_user
);

-- parties that a whole team works on
create table party_team (
  party_id bigint not null references party on delete cascade,
  team_id int not null references team on delete cascade,
  primary key (party_id, team_id)
);

create index party_team_team on party_team (team_id);

update party set owner_id = null, territory_id = null where owner_id is not null or territory_id is not null;
alter table party
  add foreign key (owner_id) references app_user,
  add foreign key (territory_id) references territory (id);
create index party_owner on party (owner_id) where owner_id is not null;
create index party_territory on party (territory_id) where territory_id is not null;

-- Who sees what: one row a party and scope, so that every list is one range of an index. Scope 0 sees all, any other
-- scope is a user's. Merged parties are in no scope.
create table party_scope (
  scope_id bigint not null,
  name_norm text collate "C" not null,
  party_id bigint not null,
  -- what the list of accounts shows
  is_account boolean not null,
  primary key (party_id, scope_id)
);

create index party_scope_account on party_scope (scope_id, name_norm, party_id) where is_account;
create index party_scope_other on party_scope (scope_id, name_norm, party_id) where not is_account;

create view team_above as
  with recursive above as (
    select id as team_id, id as above_id, parent_id from team
    union
    select a.team_id, t.id, t.parent_id from above a join team t on t.id = a.parent_id
  )
  select team_id, above_id from above;

create view territory_above as
  with recursive above as (
    select id as territory_id, id as above_id, parent_id from territory
    union
    select a.territory_id, t.id, t.parent_id from above a join territory t on t.id = a.parent_id
  )
  select territory_id, above_id from above;

-- The rule, in its only place: a rep sees what he owns, what lies in his territories and what is shared with his team; a
-- manager what anybody of the teams below sees.
create function party_viewers(ids bigint[]) returns table (party_id bigint, user_id bigint)
language sql stable as $$
  with mine as (
    select p.id as party_id, p.owner_id as user_id
    from party p
    where p.id = any(ids) and p.owner_id is not null
    union
    select p.id, t.owner_id
    from party p
    join territory_above a on a.territory_id = p.territory_id
    join territory t on t.id = a.above_id
    where p.id = any(ids) and t.owner_id is not null
    union
    select s.party_id, u.id
    from party_team s
    join app_user u on u.team_id = s.team_id
    where s.party_id = any(ids)
  ), teams as (
    select m.party_id, u.team_id from mine m join app_user u on u.id = m.user_id
    union
    select s.party_id, s.team_id from party_team s where s.party_id = any(ids)
  )
  select party_id, user_id from mine
  union
  select t.party_id, u.id
  from teams t
  join team_above a on a.team_id = t.team_id
  join app_user u on u.team_id = a.above_id and u.role = 'manager'
$$;

-- One at a time: each statement then sees what the one before has decided. 29307 follows the lock of users.
create function refresh_party_scope(ids bigint[]) returns void language sql as $$
  select pg_advisory_xact_lock(29307, 0);
  delete from party_scope where party_id = any(ids);
  insert into party_scope (scope_id, name_norm, party_id, is_account)
  select v.scope_id, p.name_norm, p.id, p.kind = 'organisation' and p.status <> 'other'
  from (
    select id as party_id, 0 as scope_id from unnest(ids) as i(id)
    union all
    select party_id, user_id from party_viewers(ids)
  ) v
  join party p on p.id = v.party_id
  where p.merged_into is null
  on conflict (party_id, scope_id) do update set name_norm = excluded.name_norm, is_account = excluded.is_account;
$$;

create function follow_parties() returns trigger language plpgsql as $$
declare
  ids bigint[];
begin
  if tg_op = 'DELETE' then
    delete from party_scope s using old_rows o where s.party_id = o.id;
    return null;
  elsif tg_op = 'INSERT' then
    -- most parties are imported and nobody's: their only row is made without asking for more
    insert into party_scope (scope_id, name_norm, party_id, is_account)
    select 0, name_norm, id, kind = 'organisation' and status <> 'other'
    from new_rows
    where merged_into is null;
    select array_agg(id) into ids from new_rows where owner_id is not null or territory_id is not null;
  else
    select array_agg(n.id) into ids
    from new_rows n
    join old_rows o on o.id = n.id
    where (n.name_norm, n.status = 'other', n.owner_id, n.territory_id, n.merged_into)
      is distinct from (o.name_norm, o.status = 'other', o.owner_id, o.territory_id, o.merged_into);
  end if;
  if ids is not null then
    perform refresh_party_scope(ids);
  end if;
  return null;
end
$$;

create trigger party_inserted after insert on party
referencing new table as new_rows for each statement execute function follow_parties();
create trigger party_updated after update on party
referencing old table as old_rows new table as new_rows for each statement execute function follow_parties();
create trigger party_deleted after delete on party
referencing old table as old_rows for each statement execute function follow_parties();

create function follow_party_teams() returns trigger language plpgsql as $$
begin
  perform refresh_party_scope(array(select distinct party_id from changed_rows));
  return null;
end
$$;

create trigger party_team_inserted after insert on party_team
referencing new table as changed_rows for each statement execute function follow_party_teams();
create trigger party_team_deleted after delete on party_team
referencing old table as changed_rows for each statement execute function follow_party_teams();

create trigger party_team_left after update on party_team
referencing old table as changed_rows for each statement execute function follow_party_teams();
create trigger party_team_reached after update on party_team
referencing new table as changed_rows for each statement execute function follow_party_teams();

-- Teams, roles and territories change seldom: then everything that belongs to anybody is decided again.
create function follow_people() returns trigger language plpgsql as $$
begin
  perform refresh_party_scope(array(
    select id from party where owner_id is not null
    union select id from party where territory_id is not null
    union select party_id from party_team));
  return null;
end
$$;

create trigger app_user_moved after update of team_id, role on app_user
for each statement execute function follow_people();

-- Whoever joins sees what his team shares; a manager what the teams below him have.
create function follow_joiners() returns trigger language plpgsql as $$
begin
  if exists (select from new_rows where role = 'manager' and team_id is not null) then
    perform refresh_party_scope(array(
      select id from party where owner_id is not null
      union select id from party where territory_id is not null
      union select party_id from party_team));
  else
    perform refresh_party_scope(array(
      select distinct s.party_id from party_team s join new_rows n on n.team_id = s.team_id));
  end if;
  return null;
end
$$;

create trigger app_user_joined after insert on app_user
referencing new table as new_rows for each statement execute function follow_joiners();
create trigger team_moved after update of parent_id on team
for each statement execute function follow_people();
create trigger territory_changed after insert or update on territory
for each statement execute function follow_people();

insert into party_scope (scope_id, name_norm, party_id, is_account)
select 0, name_norm, id, kind = 'organisation' and status <> 'other'
from party
where merged_into is null;

-- runs of the last days
create index run_started on run (started_at);
-- what was closed lately
create index quarantine_closed on quarantine (closed_at) where closed_at is not null;
-- records of one cause that wait
create index quarantine_cause on quarantine (code, field, id) where status in ('open', 'fixed');
