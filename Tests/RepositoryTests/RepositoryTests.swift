// SPDX-License-Identifier: Apache-2.0
// What the repository promises about itself: layers, comments, texts, rendered files.

import BlobStore
import CRM
import ConnectorKit
import Diagnostics
import ERPConnector
import FileTransfer
import Hub
import Foundation
import ICalendar
import JSON
import Jobs
import Mail
import Mapping
import PostgreSQL
import ProgramConnector
import Programs
import RelaisTesting
import Rules
import Schedule
import Server
import SingerConnector
import Tabular
import Testing
import Unpacking
import Words
import XML
import YAML

@Suite struct RepositoryTests {
    private func sources() throws -> [(name: String, text: String)] {
        try Repository.files(["Sources", "Connectors"], endings: ["swift"]).map { file in
            (
                String(file.path.dropFirst(Repository.root.path.count + 1)),
                try String(contentsOf: file, encoding: .utf8)
            )
        }
    }

    @Test func `every Swift file begins with its licence and one sentence of purpose`() throws {
        for (name, text) in try sources() {
            let lines = text.split(separator: "\n", maxSplits: 2)
            #expect(lines.first == "// SPDX-License-Identifier: Apache-2.0", "\(name)")
            #expect(lines.dropFirst().first?.hasPrefix("// ") == true, "\(name)")
        }
    }

    @Test func `every package declaration has a doc comment`() throws {
        let pattern =
            #/^\s*(@\w+ )?(?:package|public) (static |nonisolated |final |mutating |struct|enum|actor|class|protocol|func|var|let|init|typealias|indirect)/#
        // Conformances, whose protocol has the comment.
        let exempt =
            #/func encode|static func decode|static var typeID|static var null|var isNull|static func [<=+]|func hash|var description|let diagnostic|static let \w+ = TypeID|static let sql|var parameters|var schema|func key|func prepare|func makeStages|var fieldOfColumn|static func check|func discover|func sample|func read|static let description|func enqueue|func asUnowned|func checkIsolated/#
        for (name, text) in try sources() where !name.contains("Sources/relais/") {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            for (number, line) in lines.enumerated() where line.firstMatch(of: pattern) != nil {
                if line.firstMatch(of: exempt) != nil { continue }
                var above = number - 1
                while above >= 0, lines[above].trimmingCharacters(in: .whitespaces).hasPrefix("@") {
                    above -= 1
                }
                let comment = above >= 0 ? lines[above].trimmingCharacters(in: .whitespaces) : ""
                #expect(comment.hasPrefix("///"), "\(name):\(number + 1) \(line)")
            }
        }
    }

    @Test func `unstructured tasks, unchecked promises and public names stand only where they are reasoned`()
        throws
    {
        let allowed = [
            "@unchecked Sendable": [
                "Sources/Mapping/Pattern.swift", "Sources/PostgreSQL/CancelToken.swift",
                "Sources/PostgreSQL/SocketWatch.swift",
            ],
            // Swift inlines `public` functions across modules, `package` ones never: values of the hot path only.
            "public ": [
                "Sources/Bytes/ByteWord.swift", "Sources/Model/CalendarDate.swift",
                "Sources/Model/DateFormat.swift",
                "Sources/Model/Decimal.swift", "Sources/Model/Record.swift", "Sources/Model/Timestamp.swift",
                "Sources/Tabular/TextField.swift",
            ], " Task {": ["Sources/RelaisTesting/TestServer.swift"], "try!": [], "nonisolated(unsafe)": [],
        ]
        for (words, files) in allowed {
            let found = try sources().filter { source in
                source.text.split(separator: "\n").contains { line in
                    line.contains(words) && !line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                }
            }.map(\.name)
            #expect(Set(found).isSubset(of: files), "\(words): \(found)")
        }
    }

    @Test func `no layer imports what is above it`() throws {
        let floors: [String: Set<String>] = [
            "Bytes": [], "Diagnostics": [], "Words": ["Diagnostics", "Model"], "Model": ["Bytes"],
            "Blocking": [], "YAML": ["Diagnostics"],
            "PostgreSQL": ["CLibPQ", "Blocking", "Bytes", "Diagnostics", "Model"],
            "XML": ["CLibXML2", "Diagnostics"],
            "ICalendar": ["CLibICal", "Model", "Diagnostics"],
            "Tabular": ["Bytes", "Diagnostics"],
            "FileTransfer": ["CLibCurl", "Blocking", "Bytes", "XML", "Diagnostics"],
            "Mail": ["FileTransfer", "Model", "Diagnostics"],
            "FileSources": ["ConnectorKit", "FileTransfer", "Mail", "Diagnostics"],
            "JSON": ["Diagnostics"], "Jobs": ["PostgreSQL", "Model", "Diagnostics"],
            "BlobStore": ["Bytes", "PostgreSQL", "FileTransfer", "Model", "Diagnostics"],
            "Rules": ["Model", "Diagnostics"], "Schedule": ["Model", "Diagnostics"],
            "Unpacking": ["CLibArchive", "FileTransfer", "Diagnostics"],
            "Mapping": [
                "CLibPCRE2", "Bytes", "JSON", "Model", "Rules", "XML", "YAML", "Tabular", "Diagnostics",
            ],
            "CRM": ["Blocking", "ICalendar", "Model", "PostgreSQL", "Diagnostics"],
            "ConnectorKit": ["Model", "Diagnostics"],
            "Hub": [
                "ConnectorKit", "FileSources", "Mapping", "CRM", "BlobStore", "FileTransfer", "Jobs", "JSON",
                "Mail", "Schedule", "Tabular", "Unpacking", "PostgreSQL", "Model", "YAML", "Bytes",
                "Diagnostics",
            ],
            "Server": [
                "CRM", "ConnectorKit", "Hub", "Mapping", "BlobStore", "Bytes", "FileTransfer", "Jobs", "JSON",
                "Mail", "ICalendar", "Schedule", "PostgreSQL", "Model", "Words", "XML", "Diagnostics",
            ], "ERP": ["ConnectorKit", "FileSources", "Diagnostics", "Model"],
            "Singer": ["ConnectorKit", "Programs", "Diagnostics", "Model"], "Programs": ["Diagnostics"],
            "Program": ["ConnectorKit", "FileTransfer", "Programs", "YAML", "Diagnostics", "Model"],
        ]
        let foreign: Set = [
            "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization", "Crypto", "Yams",
            "Subprocess", "SystemPackage", "Hummingbird", "HummingbirdCore", "HummingbirdTLS", "Logging",
            "NIOCore",
            "NIOHTTPTypes", "NIOSSL",
            "JWTKit", "Mustache", "CryptoExtras", "HTTPTypes",
        ]
        for (name, text) in try sources() {
            guard let allowed = floors[String(name.split(separator: "/")[1])] else { continue }
            for match in text.matches(of: #/(?m)^(?:package|internal) import (?:struct )?(\w+)/#) {
                let module = String(match.output.1)
                #expect(allowed.contains(module) || foreign.contains(module), "\(name) imports \(module)")
            }
        }
    }

    @Test func `every code has its texts in both languages, and both have the same keys`() throws {
        let french = try Words(.french).keys
        let english = try Words(.english).keys
        #expect(french.symmetricDifference(english) == [])
        let codes =
            PostgreSQLError.Code.allCases.map(\.rawValue) + XMLError.Code.allCases.map(\.rawValue)
            + ICalendarError.Code.allCases.map(\.rawValue) + ICalendarFinding.allCases.map(\.rawValue)
            + JSONError.Code.allCases.map(\.rawValue) + ExportFinding.allCases.map(\.rawValue)
            + TabularError.Code.allCases.map(\.rawValue) + MappingError.Code.allCases.map(\.rawValue)
            + UnpackingError.Code.allCases.map(\.rawValue) + Rule.allCases.map(\.rawValue)
            + InferenceFinding.allCases.map(\.rawValue) + ChoiceReason.allCases.map(\.rawValue)
            + FileError.Code.allCases.map(\.rawValue) + ImportFinding.allCases.map(\.rawValue)
            + RunError.Code.allCases.map(\.rawValue) + BlobError.Code.allCases.map(\.rawValue)
            + ScheduleError.Code.allCases.map(\.rawValue) + FlowError.Code.allCases.map(\.rawValue)
            + JobError.Code.allCases.map(\.rawValue) + SecretError.Code.allCases.map(\.rawValue)
            + ProgramError.Code.allCases.map(\.rawValue)
            + ProgramConnectorError.Code.allCases.map(\.rawValue) + MailError.Code.allCases.map(\.rawValue)
            + TransferError.Code.allCases.map(\.rawValue) + YAMLError.Code.allCases.map(\.rawValue)
            + ServerError.Code.allCases.map(\.rawValue) + UploadError.Code.allCases.map(\.rawValue)
            + PeopleError.Code.allCases.map(\.rawValue) + OpenIDError.Code.allCases.map(\.rawValue)
            + SourceError.Code.allCases.map(\.rawValue) + RedecisionFinding.allCases.map(\.rawValue)
        for code in codes {
            #expect(french.contains(code + ".message"), "\(code)")
            #expect(french.contains(code + ".hint"), "\(code)")
        }
    }

    @Test func `what is no item's fault has the codes that files and archives give it`() {
        let troubles =
            [FileError.Code.unwritable, .unreadable].map(\.rawValue)
            + [UnpackingError.Code.noSpace, .toolMissing].map(\.rawValue)
        for code in troubles { #expect(Delivery.refused(Diagnostic(code: code)).trouble != nil, "\(code)") }
        let faults = [FileError.Code.empty.rawValue, UnpackingError.Code.damaged.rawValue]
        for code in faults { #expect(Delivery.refused(Diagnostic(code: code)).trouble == nil, "\(code)") }
        #expect(Delivery.accepted.trouble == nil)
    }

    @Test func `every text that the command asks for is in the catalogue`() throws {
        let keys = try Words(.french).keys
        for (name, text) in try sources() where name.hasPrefix("Sources/relais/") {
            for match in text.matches(of: #/words\(\s*"([a-z][a-z.\-]*)"(, count:)?/#) {
                let key = String(match.output.1)
                #expect(keys.contains(match.output.2 == nil ? key : key + ".one"), "\(name): \(key)")
            }
        }
    }

    @Test func `French texts have no straight apostrophe between letters`() throws {
        let catalogue = try String(
            contentsOf: Repository.root.appending(path: "Sources/Words/Catalogue/fr.yaml"), encoding: .utf8)
        var texts = catalogue.split(separator: "\n").map(String.init)
        for (_, text) in try sources() {
            texts += text.matches(of: #/\bfr: "([^"]*)"/#).map { String($0.output.1) }
        }
        #expect(texts.count > 2000)
        for text in texts { #expect(!text.contains(#/\p{L}'[\p{L}«{\[]/#), "\(text)") }
    }

    @Test func `every connector folder is complete, registered, and its rendered files are fresh`() throws {
        let folder = Repository.root.appending(path: "Connectors")
        let known: [String: ConnectorDescription] = [
            "ERP": ERPConnector.description, "Program": ProgramConnector.description,
            "Singer": SingerConnector.description,
        ]
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names) == Set(known.keys), "add the connector's description to this test")
        for (name, description) in known {
            let manifest = try String(
                contentsOf: folder.appending(path: "\(name)/connector.yaml"), encoding: .utf8)
            #expect(manifest == description.manifest)
            let readme = try String(contentsOf: folder.appending(path: "\(name)/README.md"), encoding: .utf8)
            #expect(readme.contains(description.settingsTable))
        }
    }

    @Test func `every mapping has a golden pair`() throws {
        let goldens = Repository.files(["Mappings"], endings: ["json"]).map(\.lastPathComponent)
        for name in try MappingLibrary.shipped().mappings.keys {
            #expect(goldens.contains { $0.hasPrefix(name + "_") }, "\(name)")
        }
    }
}
