// SPDX-License-Identifier: Apache-2.0
// The change log under concurrent writers: nothing lost, nothing twice.

import CRM
import Foundation
import Hub
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct ChangeLogTests {
    private func write(_ id: Int, on connection: Connection) async throws {
        try await connection.script(
            "insert into change_log (entity, entity_id, op) values ('party', \(id), 'insert')")
    }

    @Test func `a row that commits late is not lost, where a reader of sequence numbers loses it`()
        async throws
    {
        let url = try await TestDatabase.migrated()
        let early = try await Connection.open(url)
        let late = try await Connection.open(url)
        let reader = try await Connection.open(url)
        try await late.script("begin")
        try await write(1, on: late)
        try await write(2, on: early)
        let naive: [Int] = try await reader.run(AdHoc("select seq from change_log"))
        #expect(naive.count == 1)
        #expect(try await ChangeLog.read(after: .start, on: reader).isEmpty)
        try await late.script("commit")
        let behind: [Int] = try await reader.run(
            AdHoc("select entity_id from change_log where seq > \(naive.max() ?? 0)"))
        #expect(behind.isEmpty, "the naive reader has lost the row")
        // Open transactions of other databases of the cluster hold the horizon too.
        try await until { try await ChangeLog.read(after: .start, on: reader).count == 2 }
        let changes = try await ChangeLog.read(after: .start, on: reader)
        #expect(changes.map(\.id) == [1, 2])
        #expect(try await ChangeLog.read(after: changes[1].position, on: reader).isEmpty)
    }

    @Test func `eight writers at once: every committed row is read once`() async throws {
        let url = try await TestDatabase.migrated()
        let reader = try await Connection.open(url)
        let seen = try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    let connection = try await Connection.open(url)
                    var random = Seeded(UInt64(writer))
                    for number in 0..<60 {
                        try await connection.script("begin")
                        try await self.write(writer * 1000 + number, on: connection)
                        if Bool.random(using: &random) {
                            try await connection.script("select pg_sleep(0.003)")
                        }
                        let commits = number % 7 != 0
                        try await connection.script(commits ? "commit" : "rollback")
                    }
                    await connection.close()
                }
            }
            var seen: [Int] = []
            var position = ChangeLog.Position.start
            while seen.count < 8 * 51 {
                let changes = try await ChangeLog.read(after: position, limit: 7, on: reader)
                seen += changes.map(\.id)
                position = changes.last?.position ?? position
                if changes.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            }
            try await group.waitForAll()
            return seen
        }
        #expect(Set(seen).count == seen.count)
        let all: [Int] = try await reader.run(AdHoc("select entity_id from change_log"))
        #expect(Set(all) == Set(seen))
    }

    @Test func `the tailer notifies once for many changes`() async throws {
        let url = try await TestDatabase.migrated()
        let pool = Pool(url)
        let listener = try await Connection.open(url)
        let payloads = try await listener.listen(ChangeTailer.channel)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ChangeTailer(pool: pool, pause: .milliseconds(20)).run() }
            let writer = try await Connection.open(url)
            for id in 1...500 { try await write(id, on: writer) }
            let last: [Int] = try await writer.run(AdHoc("select max(seq) from change_log"))
            var count = 0
            for try await payload in payloads {
                count += 1
                if payload.hasSuffix(":\(last[0])") { break }
            }
            #expect(count < 250)
            group.cancelAll()
            while await group.nextResult() != nil {}
        }
        let kept: [Int] = try await listener.run(AdHoc("select count(*) from log_cursor"))
        #expect(kept == [1])
    }

    @Test
    func `a restored log goes on where its readers were, in a cluster that knows none of its transactions`()
        async throws
    {
        let (from, to) = (try await TestDatabase.migrated(), try await TestDatabase.migrated())
        let old = try await Connection.open(from)
        // Of a cluster that has seen more: sequence numbers became visible out of order, and a reader stands in the middle.
        try await old.script(
            """
            insert into change_log (entity, entity_id, op, xid) values
              ('party', 1, 'insert', '9000000001'), ('party', 4, 'insert', '9000000009'),
              ('party', 2, 'insert', '9000000002'), ('party', 3, 'insert', '9000000008');
            insert into log_cursor (name, xid, seq) select 'reader', xid, seq from change_log where entity_id = 2;
            set constraints all deferred;
            begin;
            insert into flow (name, version) values ('f', 1);
            insert into flow_version (flow_id, version, text) select id, 1, '' from flow;
            insert into shipment (flow_id, no, after_xid, after_seq, upto_xid, upto_seq)
            select f.id, 1, a.xid, a.seq, b.xid, b.seq
            from flow f, change_log a, change_log b where a.entity_id = 2 and b.entity_id = 3;
            insert into outgoing_start (flow_id, snapshot) select id, '9000000001:9000000001:' from flow;
            commit
            """)
        await old.close()
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let installation = try #require(Installation.all().first)
        let file = folder.appending(path: "backup.tar")
        _ = try await Backup(from, installation: installation).write(
            to: file, at: Timestamp(microsecondsSince1970: 0))
        _ = try await Backup(to, installation: installation).restore(from: file, replacing: true)
        let reader = try await Connection.open(to)
        try await write(5, on: reader)
        try await until { try await ChangeLog.read(after: .start, on: reader).count == 5 }
        let place = try await ChangeLog.cursor("reader", on: reader)
        #expect(try await ChangeLog.read(after: place, on: reader).map(\.id) == [3, 4, 5])
        #expect(try await ChangeLog.read(after: .start, on: reader).map(\.id) == [1, 2, 3, 4, 5])
        let stretch: [Int] = try await reader.run(
            AdHoc(
                """
                select entity_id from change_log c, shipment s
                where (c.xid, c.seq) > (s.after_xid, s.after_seq) and (c.xid, c.seq) <= (s.upto_xid, s.upto_seq)
                """))
        #expect(stretch == [3])
        // Nothing that a flow has not sent counts as older than it.
        let starts: [Int] = try await reader.run(AdHoc("select count(*) from outgoing_start"))
        #expect(starts == [0])
        await reader.close()
    }
}
