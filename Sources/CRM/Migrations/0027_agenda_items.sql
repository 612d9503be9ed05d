-- SPDX-License-Identifier: Apache-2.0
-- What the objects of agendas say, in columns, and what the CRM knows beside them.

-- written anew with each version of the object; an exception of a series has a row of its own
create table agenda_item (
  object_id bigint not null references dav_object on delete cascade,
  -- which occurrence of a series it replaces, as written; empty for the object itself
  recurrence text collate "C" not null default '',
  kind text not null check (kind in ('event', 'task')),
  title text not null,
  location text,
  details text,
  status text not null check (status in ('planned', 'tentative', 'cancelled', 'done')),
  is_private boolean not null,
  -- whether it leaves its owner free
  is_free boolean not null,
  is_series boolean not null,
  -- null for a task without a day
  during tstzrange,
  all_day boolean not null,
  primary key (object_id, recurrence)
);

alter table occurrence add recurrence text collate "C" not null default '';

-- what no device knows, and none can lose
create table agenda_link (
  object_id bigint primary key references dav_object on delete cascade,
  party_id bigint references party on delete set null,
  -- written to the timeline when it was done
  interaction_id bigint,
  done_at timestamptz
);

create index agenda_link_party on agenda_link (party_id) where done_at is null;

create table agenda_attendee (
  object_id bigint not null references dav_object on delete cascade,
  address text collate "C" not null,
  name text,
  answer text not null check (answer in ('none', 'accepted', 'declined', 'tentative')),
  -- whom the CRM knows by this address
  party_id bigint references party on delete set null,
  primary key (object_id, address)
);

create index agenda_attendee_party on agenda_attendee (party_id) where party_id is not null;
