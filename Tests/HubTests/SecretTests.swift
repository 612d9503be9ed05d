// SPDX-License-Identifier: Apache-2.0
// Secrets: kept closed, opened for whoever uses them, never said, never locked out.

import ConnectorKit
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Mapping
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct SecretTests {
    private func withSecrets(
        _ body: (Secrets, _ keyFile: URL, Connection) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let connection = try await Connection.open(try await TestDatabase.migrated())
        let keyFile = folder.appending(path: "secret.key")
        try await body(Secrets(keyFile: keyFile.path, mayMakeKey: true), keyFile, connection)
        await connection.close()
    }

    private func flow(_ secret: String) throws -> FlowDefinition {
        try FlowDefinition.parse(
            """
            flow: distant
            connector: erp
            settings: {from: "sftp://u@host/x", host_keys: ["SHA256:abc"]}
            secrets: {password: \(secret)}

            """, file: "f.yaml", connectors: ConnectorRegistry([ERPConnector.self]),
            mappings: try MappingLibrary.shipped())
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
        } catch let error as any ReportableError {
            return error.diagnostic.code
        } catch {}
        return nil
    }

    @Test func `a value is nowhere in the database, and the key is in a file of its owner's`() async throws {
        try await withSecrets { secrets, keyFile, connection in
            try await secrets.set("erp", to: "Tr0ubadour!", by: "it", on: connection)
            let row = try await connection.run(
                AdHoc<String>("select row_to_json(s)::text || encode(box, 'escape') from secret s"))
            #expect(row.count == 1 && !row[0].contains("Tr0ubadour!"))
            let mode = try FileManager.default.attributesOfItem(atPath: keyFile.path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try await secrets.list(on: connection).map(\.setBy) == ["it"])
        }
    }

    @Test func `the key can be changed again and again; a box moved under another name does not open`()
        async throws
    {
        try await withSecrets { secrets, keyFile, connection in
            try await secrets.set("one", to: "value of one", by: nil, on: connection)
            try await secrets.set("two", to: "value of two", by: nil, on: connection)
            let old = try Data(contentsOf: keyFile)
            #expect(try await secrets.rotateKey(on: connection) == 2)
            #expect(try await secrets.rotateKey(on: connection) == 2)
            #expect(try Data(contentsOf: keyFile) != old)
            try await connection.script("update secret set box = (select box from secret where name = 'one')")
            #expect(await code { _ = try await secrets.rotateKey(on: connection) } == "SECRET-DAMAGED")
            // What was there before the failure opens still: the file holds the old key too.
            try await connection.script("delete from secret where name = 'two'")
            #expect(try await secrets.rotateKey(on: connection) == 1)
            try old.write(to: keyFile)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile.path)
            #expect(await code { _ = try await secrets.rotateKey(on: connection) } == "SECRET-LOCKED")
        }
    }

    @Test func `a key that others may read, or that is none, is refused`() async throws {
        try await withSecrets { secrets, keyFile, connection in
            try await secrets.set("one", to: "value", by: nil, on: connection)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keyFile.path)
            #expect(
                await code { try await secrets.set("two", to: "x", by: nil, on: connection) } == "SECRET-KEY")
            try Data("short\n".utf8).write(to: keyFile)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: keyFile.path)
            #expect(
                await code { try await secrets.set("two", to: "x", by: nil, on: connection) } == "SECRET-KEY")
            let bound = Secrets(keyFile: keyFile.path + ".none", mayMakeKey: false)
            #expect(
                await code { try await bound.set("two", to: "x", by: nil, on: connection) }
                    == "SECRET-KEY-MISSING")
        }
    }

    @Test func `a flow names secrets that are there, and keeps them from being deleted`() async throws {
        try await withSecrets { secrets, _, connection in
            let flow = try flow("erp")
            func apply() async throws {
                _ = try await Flows.apply(
                    flow, by: nil, now: .init(microsecondsSince1970: 0), on: connection)
            }
            #expect(await code { try await apply() } == "SECRET-UNKNOWN")
            try await secrets.set("erp", to: "value", by: nil, on: connection)
            try await apply()
            #expect(try await secrets.list(on: connection).first?.flows == ["distant"])
            #expect(await code { try await secrets.delete("erp", on: connection) } == "SECRET-IN-USE")
            #expect(await code { try await secrets.delete("epr", on: connection) } == "SECRET-UNKNOWN")
            #expect(
                await code { try await secrets.set("Bad Name", to: "x", by: nil, on: connection) }
                    == "SECRET-NAME")
            #expect(
                await code { try await secrets.set("empty", to: "", by: nil, on: connection) }
                    == "SECRET-EMPTY")
        }
    }

    @Test func `a secret written in the open, or an open setting written as a secret, is a fault`() throws {
        let faults = #expect(throws: FlowFaults.self) {
            _ = try FlowDefinition.parse(
                """
                flow: distant
                connector: erp
                settings: {from: "sftp://u:p4ss@host/x", password: hunter2}
                secrets: {pattern: x, pasword: y}

                """, file: "f.yaml", connectors: ConnectorRegistry([ERPConnector.self]),
                mappings: try MappingLibrary.shipped())
        }
        let found = faults?.faults ?? []
        #expect(
            Set(found.map(\.code)) == [
                "SETTING-SECRET", "SETTING-OPEN", "SETTING-UNKNOWN", "TRANSFER-ADDRESS",
            ])
        // Neither the password of the address nor the one beside it is repeated.
        #expect(!found.contains { $0.place.value?.contains("p4ss") == true })
        #expect(!found.contains { $0.place.value?.contains("hunter2") == true })
    }

    @Test func `texts inside settings that are one secret, and lines of a key, are taken out too`() {
        let redaction = Redaction([
            #"{"url": "https://x.example", "password": "Gr0s\"Temps", "list": ["langer Text"]}"#,
            "-----BEGIN KEY-----\nAbCdEfGhIj\n-----END KEY-----",
        ])
        #expect(redaction.apply("password Gr0s\\\"Temps refused") == "password ••• refused")
        #expect(redaction.apply("password Gr0s\"Temps refused") == "password ••• refused")
        #expect(redaction.apply("langer Text, AbCdEfGhIj") == "•••, •••")
        #expect(redaction.apply("url and list") == "url and list")
    }

    @Test func `secrets are taken out of what is said, wherever they stand`() {
        let redaction = Redaction(["geheim", "geheimnis", "abc"])
        let diagnostic = Diagnostic(
            code: "X", facts: ["detail": "login geheimnis failed", "b": "abc"],
            place: Place(file: "sftp://geheim/", value: "geheim"))
        let clean = redaction.apply(diagnostic)
        #expect(clean.facts == ["detail": "login ••• failed", "b": "abc"])
        #expect(clean.place.file == "sftp://•••/" && clean.place.value == "•••")
        // What is cut loses its secrets first, also the one that stands across the cut.
        let long = String(repeating: "0", count: 195) + "geheimnis"
        #expect(redaction.apply(long, upTo: 200).hasSuffix("0•••"))
    }
}
