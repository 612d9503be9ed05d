// SPDX-License-Identifier: Apache-2.0
// The daemon as a process: it imports what arrives by the clock, outlives its PostgreSQL, and ends when it is told to.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct ServeTests {
    private let samples = Repository.root.appending(path: "Connectors/ERP/Samples")

    private func writeFlow(_ folder: URL, schedule: String?, _ more: String = "") throws -> (
        file: String, inbox: URL
    ) {
        let inbox = folder.appending(path: "in")
        try FileManager.default.createDirectory(
            at: inbox, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let text = """
            flow: comptes
            connector: erp
            settings: {from: \(inbox.path), pattern: "*.csv", stillness: 0}
            mapping: accounts-csv
            \(schedule.map { "schedule: \"\($0)\"" } ?? "")
            \(more)
            tests: [{file: \(samples.path)/comptes.csv, records: 6}]

            """
        let file = folder.appending(path: "flow.yaml")
        try Data(text.utf8).write(to: file)
        return (file.path, inbox)
    }

    private func drop(_ name: String, in inbox: URL) throws {
        let file = inbox.appending(path: name)
        try FileManager.default.copyItem(at: samples.appending(path: "comptes.csv"), to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: file.path)
    }

    private func runs(_ data: String) async throws -> [String] {
        let result = try await RelaisCommand.run(["runs", "--json", "--data", data])
        return result.output.split(separator: "\n").map(String.init)
    }

    @Test func `a file that arrives is imported at the next minute, and the daemon ends with code 0`()
        async throws
    {
        try await withDataFolder { data, folder in
            let flow = try writeFlow(folder, schedule: "* * * * *")
            let applied = try await RelaisCommand.run(["flows", "apply", flow.file, "--data", data])
            #expect(
                applied.status == 0 && applied.output.contains("la version 1 est en vigueur"),
                "\(applied.errors)")
            let daemon = try Daemon(data, folder)
            try drop("comptes.csv", in: flow.inbox)
            try await until { daemon.flowsDone == 1 }
            let runs = try await runs(data)
            #expect(runs.count == 1 && runs[0].contains(#""inserted":6"#), "\(runs)")
            #expect(!FileManager.default.fileExists(atPath: flow.inbox.path + "/comptes.csv"))
            #expect(try await daemon.stop() == 0)
            #expect(daemon.messages.suffix(2) == ["stopping", "stopped"])
        }
    }

    @Test func `a file that arrives in a watched folder is imported without a schedule`() async throws {
        try await withDataFolder { data, folder in
            let flow = try writeFlow(folder, schedule: nil, "on_arrival: true")
            _ = try await RelaisCommand.run(["flows", "apply", flow.file, "--data", data])
            // One lies there before anybody listens, the other comes then.
            try drop("comptes.csv", in: flow.inbox)
            let daemon = try Daemon(data, folder)
            try await until { try await runs(data).count == 1 && daemon.flowsDone >= 1 }
            try Data("id,name,siren,siret,tva,street,postcode,city,phone\nC9,Neuf,,,,,,,\n".utf8)
                .write(to: flow.inbox.appending(path: "b.csv"))
            try await until { try await runs(data).count == 2 }
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `PostgreSQL killed under the daemon comes back, and the work goes on without hands`()
        async throws
    {
        try await withDataFolder { data, folder in
            let flow = try writeFlow(folder, schedule: nil)
            _ = try await RelaisCommand.run(["flows", "apply", flow.file, "--data", data])
            let daemon = try Daemon(data, folder)
            try await until { daemon.messages.contains("ready") }
            let pid = try String(contentsOfFile: data + "/postgres/postmaster.pid", encoding: .utf8)
            kill(try #require(pid.split(separator: "\n").first.flatMap { Int32($0) }), SIGKILL)
            try await until { daemon.messages.contains("PostgreSQL is gone and is started again") }
            try drop("comptes.csv", in: flow.inbox)
            let queued = try await RelaisCommand.run(["flows", "run", "comptes", "--data", data])
            #expect(queued.status == 0, "\(queued.errors)")
            try await until { daemon.flowsDone == 1 }
            #expect(try await runs(data).count == 1)
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a daemon killed in the middle of an import leaves it to the next, which ends it`()
        async throws
    {
        try await withDataFolder { data, folder in
            let flow = try writeFlow(folder, schedule: nil)
            let rows = (0..<30_000).map { "C\($0),Client \($0),,,,,,," }
            let text =
                "id,name,siren,siret,tva,street,postcode,city,phone\n" + rows.joined(separator: "\n") + "\n"
            try Data(text.utf8).write(to: flow.inbox.appending(path: "big.csv"))
            _ = try await RelaisCommand.run(["flows", "apply", flow.file, "--data", data])
            let first = try Daemon(data, folder)
            _ = try await RelaisCommand.run(["flows", "run", "comptes", "--data", data])
            let connection = try await Connection.open(
                try PrivateCluster(folder: URL(filePath: data)).connectionString())
            try await until { try await connection.run(AdHoc<Int>("select count(*) from run_batch")) != [0] }
            kill(first.process.processIdentifier, SIGKILL)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: flow.inbox.path + "/.work").count == 1)
            // The lease need not end by itself here.
            try await connection.script("update job set lease_until = now()")
            let second = try Daemon(data, folder)
            try await until { second.flowsDone == 1 }
            #expect(try await connection.run(AdHoc<Int>("select count(*) from party")) == [30_000])
            #expect(
                try await connection.run(AdHoc<String>("select state from run order by id")) == [
                    "failed", "succeeded",
                ])
            #expect(
                try await connection.run(
                    AdHoc<Int>("select attempt::bigint from job_history where kind = 'flow'")) == [2])
            await connection.close()
            #expect(try await second.stop() == 0)
        }
    }

    @Test func `files of another machine are fetched with a secret, applied once, and moved there`()
        async throws
    {
        try await withDataFolder { data, folder in
            let server = try await SSHServer()
            for name in ["comptes.csv", "clé.csv"] {
                try FileManager.default.copyItem(
                    at: samples.appending(path: "comptes.csv"), to: server.files.appending(path: name))
            }
            try Data().write(to: server.files.appending(path: "vide.csv"))
            let key = folder.appending(path: "key")
            try Data(server.privateKey.utf8).write(to: key)
            let flow = folder.appending(path: "flow.yaml")
            let text = """
                flow: distant
                connector: erp
                settings: {from: "\(server.address)", host_keys: ["\(server.fingerprint)"], after: move, stillness: 0}
                secrets: {private_key: erp-key}
                mapping: accounts-csv

                """
            try Data(text.utf8).write(to: flow)
            let early = try await RelaisCommand.run(["flows", "apply", flow.path, "--data", data])
            #expect(early.status == 1 && early.errors.contains("SECRET-UNKNOWN"))
            let set = try await RelaisCommand.run(
                ["secrets", "set", "erp-key", "--file", key.path, "--data", data])
            #expect(set.status == 0, "\(set.errors)")
            let applied = try await RelaisCommand.run(["flows", "apply", flow.path, "--data", data])
            #expect(applied.status == 0, "\(applied.errors)")
            let daemon = try Daemon(data, folder)
            for done in 1...2 {
                _ = try await RelaisCommand.run(["flows", "run", "distant", "--data", data])
                try await until { daemon.flowsDone == done }
            }
            let done = try FileManager.default.contentsOfDirectory(
                atPath: server.files.appending(path: "done").path)
            #expect(Set(done) == ["comptes.csv", "clé.csv"])
            // The empty file is put aside, and the second look finds nothing to do.
            #expect(try await runs(data).count == 1)
            let shown = try await RelaisCommand.run(["runs", "show", "1", "--data", data])
            #expect(
                shown.output.contains("FILE-EMPTY") && shown.output.contains("vide.csv"), "\(shown.output)")
            let log = try String(contentsOf: daemon.log, encoding: .utf8)
            #expect(!log.contains("PRIVATE KEY"))
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a role that does not exist is refused`() async throws {
        try await withDataFolder { data, _ in
            let result = try await RelaisCommand.run(["serve", "--data", data, "--roles", "worker,boss"])
            #expect(
                result.status == 1 && result.errors.contains("CONFIG-VALUE") && result.errors.contains("boss")
            )
        }
    }
}
