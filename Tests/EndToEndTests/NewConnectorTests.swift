// SPDX-License-Identifier: Apache-2.0
// What `relais new connector` writes works as it is, and `connectors test` tells a good connector from a bad one.

import Foundation
import RelaisTesting
import Testing

@Suite struct NewConnectorTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func new(_ arguments: String..., in folder: URL) async throws -> CommandResult {
        try await RelaisCommand.run(
            ["new", "connector"] + arguments
                + ["--in", folder.path, "--data", folder.appending(path: "data").path])
    }

    private func test(_ folder: URL, _ more: String...) async throws -> CommandResult {
        try await RelaisCommand.run(["connectors", "test", folder.path] + more)
    }

    @Test func `a new program conforms, and is told apart from one that lost its place`() async throws {
        try await withFolder { folder in
            #expect(try await new("meteo-ville", in: folder).status == 0)
            let connector = folder.appending(path: "meteo-ville")
            let good = try await test(connector)
            #expect(good.status == 0 && good.output.contains("clients"), "\(good.errors)")
            let program = connector.appending(path: "connector")
            let text = try String(contentsOf: program, encoding: .utf8)
            for (from, to, word) in [
                ("done = state or 0", "done = 0", "repris"),
                ("say(type=\"STREAM\"", "print(\"{\"); say(type=\"STREAM\"", "PROGRAM-MESSAGE"),
                (
                    "if number <= done",
                    "import time; row[\"nom\"] = time.time()\n            if number <= done", "deux fois"
                ),
                ("request[\"verb\"] == ", "request[\"verbe\"] == ", "KeyError"),
            ] {
                #expect(text.contains(from))
                try Data(text.replacing(from, with: to).utf8).write(to: program)
                let bad = try await test(connector)
                #expect(bad.status == 1 && bad.errors.contains(word), "\(word): \(bad.errors)")
            }
            let other = try await test(connector, "--set", "fichier=x")
            #expect(other.status == 1 && other.errors.contains("fichier"))
        }
    }

    @Test func `its flow and its mapping are accepted as they are`() async throws {
        try await withFolder { parent in
            // A path with words of the template and signs of YAML in it.
            let folder = parent.appending(path: "DATA, NAME #1 {x}")
            _ = try await new("meteo", in: folder)
            let connector = folder.appending(path: "meteo")
            let mapping = try await RelaisCommand.run(
                ["mapping", "check", connector.appending(path: "mapping.yaml").path])
            #expect(mapping.status == 0, "\(mapping.errors)")
            let own = folder.appending(path: "data/mappings")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: connector.appending(path: "mapping.yaml"), to: own.appending(path: "meteo.yaml"))
            let flow = try await RelaisCommand.run([
                "flows", "check", connector.appending(path: "flow.yaml").path, "--data",
                folder.appending(path: "data").path,
            ])
            #expect(flow.status == 0, "\(flow.errors)")
        }
    }

    @Test func `nothing is written over, and no name is taken twice`() async throws {
        try await withFolder { folder in
            #expect(try await new("a", in: folder).status == 0)
            for (arguments, code) in [
                (["a"], "NEW-EXISTS"), (["erp"], "NEW-NAME"), (["../b"], "NEW-NAME"), (["Été"], "NEW-NAME"),
                (["b", "--kind", "swift"], "NEW-CHECKOUT"),
            ] {
                let result = try await RelaisCommand.run(
                    ["new", "connector"] + arguments + ["--in", folder.path])
                #expect(result.status == 1 && result.errors.contains(code), "\(result.errors)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
        }
    }

    /// Building all of it takes minutes; the compiler reads it against the modules that this very build made.
    @Test func `a new Swift connector compiles, and its rendered files are fresh`() async throws {
        try await withFolder { folder in
            for path in ["Package.swift", "Sources/ConnectorKit/x"] {
                let file = folder.appending(path: path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data().write(to: file)
            }
            #expect(try await new("compta-paie", "--kind", "swift", in: folder).status == 0)
            let connector = folder.appending(path: "Connectors/ComptaPaie")
            let manifest = try String(
                contentsOf: connector.appending(path: "connector.yaml"), encoding: .utf8)
            let known = try String(
                contentsOf: Repository.root.appending(path: "Connectors/ERP/connector.yaml"), encoding: .utf8)
            // The same settings, behind another name.
            func settings(_ text: String) -> Substring? {
                text.firstRange(of: "settings:").map { text[$0.lowerBound...] }
            }
            #expect(settings(manifest) == settings(known) && manifest.contains("id: compta-paie\n"))
            let sources = ["Connector", "Settings"].map {
                connector.appending(path: "Sources/\($0).swift").path
            }
            let modules = Repository.command.deletingLastPathComponent().appending(path: "Modules").path
            let libraries = try FileManager.default.contentsOfDirectory(
                atPath: Repository.root.appending(path: "Sources").path
            ).filter { $0.hasPrefix("CLib") }.flatMap {
                ["-I", Repository.root.appending(path: "Sources/\($0)").path]
            }
            // As Package.swift has them for every target.
            let features = [
                "ExistentialAny", "MemberImportVisibility", "InternalImportsByDefault",
                "NonisolatedNonsendingByDefault",
            ].flatMap { ["-enable-upcoming-feature", $0] }
            let compiler = Process()
            compiler.executableURL = URL(filePath: "/usr/bin/env")
            compiler.arguments =
                [
                    "swiftc", "-typecheck", "-swift-version", "6", "-package-name",
                    Repository.root.lastPathComponent.lowercased(),
                    "-I", modules,
                    "-Xcc", "-I/usr/include/libxml2",
                    "-Xcc", "-I/usr/include/postgresql",
                ] + features + libraries + sources
            let errors = Pipe()
            compiler.standardError = errors
            try compiler.run()
            let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            compiler.waitUntilExit()
            #expect(compiler.terminationStatus == 0, "\(said)")
        }
    }
}
