// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// Relais, bottom floor first: a target may only depend on targets above its own line.

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// Every folder of Sources; `Mapping` lives at the root to ship `Mappings/`, and leaves the others out.
let floors = [
    "BlobStore", "Blocking", "Bytes", "CLibArchive", "CLibCurl", "CLibICal", "CLibPCRE2", "CLibPQ",
    "CLibXML2", "CRM",
    "ConnectorKit",
    "ConnectorTesting",
    "Diagnostics",
    "FileSources", "FileTransfer", "Hub", "ICalendar", "JSON", "Jobs", "Mail", "Mapping", "Model",
    "PostgreSQL",
    "Programs",
    "RelaisTesting",
    "Rules",
    "Schedule",
    "Server",
    "Tabular",
    "Unpacking",
    "Words",
    "XML",
    "YAML",
    "relais",
]

func floor(
    _ name: String, _ uses: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
    .target(name: name, dependencies: uses, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ uses: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: uses, swiftSettings: strict)
}

/// What a connector may use beside ConnectorKit: codecs, never CRM, Hub, PostgreSQL or another connector.
enum Codec: String {
    case xml = "XML"
    case tabular = "Tabular"
    case fileSources = "FileSources"
    case fileTransfer = "FileTransfer"
    case programs = "Programs"
    case yaml = "YAML"
}

/// The only way to declare a connector: `Connectors/NAME/{Sources,Tests}`.
func connector(_ name: String, uses codecs: [Codec] = []) -> [Target] {
    let kit =
        ["ConnectorKit", "Diagnostics", "Model"].map { Target.Dependency.target(name: $0) }
        + codecs.map { .target(name: $0.rawValue) }
    return [
        .target(
            name: "\(name)Connector",
            dependencies: kit,
            path: "Connectors/\(name)/Sources",
            swiftSettings: strict),
        .testTarget(
            name: "\(name)ConnectorTests",
            dependencies: kit + [.target(name: "\(name)Connector"), .target(name: "ConnectorTesting")],
            path: "Connectors/\(name)/Tests",
            swiftSettings: strict),
    ]
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let nioTLS = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "relais",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1",
            traits: ["FullFoundation"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CLibPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(
            name: "CLibArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(
            name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibICal", pkgConfig: "libical", providers: [.apt(["libical-dev"])]),
        floor("Blocking"),
        floor("Programs", ["Diagnostics", subprocess]),
        floor("Diagnostics"),
        floor("YAML", ["Diagnostics", yams]),
        floor("Words", ["Model", "Diagnostics", yams], resources: [.copy("Catalogue")]),
        floor("Bytes"),
        floor("Model", ["Bytes"]),
        floor("PostgreSQL", ["CLibPQ", "Bytes", "Blocking", "Model", "Diagnostics", crypto, subprocess]),
        floor("XML", ["CLibXML2", "Diagnostics"]),
        floor("ICalendar", ["CLibICal", "Model", "Diagnostics"]),
        floor("Tabular", ["Bytes", "Diagnostics"]),
        floor("JSON", ["Diagnostics"]),
        floor("FileTransfer", ["CLibCurl", "Bytes", "Blocking", "XML", "Diagnostics", crypto]),
        floor("Rules", ["Model", "Diagnostics"]),
        floor("Schedule", ["Model", "Diagnostics"]),
        floor("Jobs", ["PostgreSQL", "Model", "Diagnostics"]),
        floor("Unpacking", ["CLibArchive", "FileTransfer", "Diagnostics", subprocess]),
        floor("BlobStore", ["Bytes", "PostgreSQL", "FileTransfer", "Diagnostics", crypto]),
        .target(
            name: "Mapping",
            dependencies: [
                "CLibPCRE2", "Bytes", "Model", "Rules", "XML", "Tabular", "JSON", "YAML",
                "Diagnostics",
            ],
            path: ".",
            exclude: [
                "Connectors", "Tests", "docs", "README.md", "CHANGELOG.md", "Decisions.md", "LICENSE",
                "Makefile",
            ] + floors.filter { $0 != "Mapping" }.map { "Sources/\($0)" },
            sources: ["Sources/Mapping"],
            resources: [.copy("Mappings")],
            swiftSettings: strict),
        floor(
            "CRM",
            ["Blocking", "ICalendar", "Model", "PostgreSQL", "Diagnostics", crypto, cryptoExtras],
            resources: [.copy("Migrations")]),
        floor("ConnectorKit", ["Model", "Diagnostics"]),
        floor("Mail", ["FileTransfer", "Model", "Diagnostics"]),
        floor("FileSources", ["ConnectorKit", "FileTransfer", "Mail", "Diagnostics"]),
        floor(
            "Hub",
            [
                "ConnectorKit", "FileSources", "Mapping", "CRM", "BlobStore", "FileTransfer", "Jobs", "JSON",
                "Mail", "Schedule",
                "Tabular",
                "Unpacking",
                "PostgreSQL",
                "Model",
                "YAML",
                "Bytes",
                "Diagnostics", crypto,
            ]),
        floor(
            "Server",
            [
                "CRM", "Hub", "Mapping", "BlobStore", "ConnectorKit", "ICalendar", "Jobs", "JSON", "Schedule",
                "Bytes", "XML",
                "FileTransfer", "Mail", "PostgreSQL", "Model", "Words", "Diagnostics", crypto, httpTypes,
                hummingbird, hummingbirdCore,
                hummingbirdTLS, jwt, mustache,
                nio, nioTLS, nioHTTPTypes, logging,
            ],
            resources: [.copy("Templates"), .copy("Assets")]),
        .executableTarget(
            name: "relais",
            dependencies: [
                "Server", "Hub", "BlobStore", "CRM", "Jobs", "Mapping", "FileTransfer", "Schedule", "Tabular",
                "JSON",
                "Unpacking",
                "PostgreSQL",
                "Model",
                "ConnectorKit", "FileSources", "Mail",
                "Words", "YAML",
                "Diagnostics", "ERPConnector", "SingerConnector", "ProgramConnector",
                "ConnectorTesting", arguments, lifecycle, logging, signals,
                subprocess,
            ],
            resources: [.copy("Templates")],
            swiftSettings: strict),
        floor("RelaisTesting", ["PostgreSQL", "CRM", "Model", "Diagnostics", subprocess]),
        floor("ConnectorTesting", ["ConnectorKit", "Model", "Diagnostics"]),
        .executableTarget(
            name: "relais-bench",
            dependencies: [
                "Hub", "CRM", "ConnectorKit", "ERPConnector", "Jobs", "Model", "PostgreSQL", "FileTransfer",
                "Mapping", "Schedule",
                "Tabular",
                "Unpacking", "CLibXML2", "Diagnostics", "RelaisTesting", yams,
            ],
            path: "Tests/Bench",
            swiftSettings: strict),
        .executableTarget(
            name: "relais-jobs-probe", dependencies: ["Jobs", "PostgreSQL", "Diagnostics"],
            path: "Tests/JobsProbe",
            swiftSettings: strict),
        tests("BytesTests", ["Bytes", "RelaisTesting"]),
        tests("ModelTests", ["Model"]),
        tests("XMLTests", ["XML", "RelaisTesting", "Diagnostics"]),
        tests("ICalendarTests", ["ICalendar", "Model", "RelaisTesting", "Diagnostics"]),
        tests("JSONTests", ["JSON", "RelaisTesting", "Diagnostics"]),
        tests("TabularTests", ["Tabular", "RelaisTesting", "Diagnostics"]),
        tests("WordsTests", ["Words", "Model", "Diagnostics"]),
        tests("MappingTests", ["Mapping", "Tabular", "Model", "RelaisTesting", "Diagnostics"]),
        tests(
            "HubTests",
            [
                "Hub", "Jobs", "Mail", "Schedule", "ICalendar", "Model", "CRM", "BlobStore", "Mapping",
                "ConnectorKit",
                "ERPConnector",
                "PostgreSQL",
                "RelaisTesting",
                "Diagnostics", crypto,
            ]),
        tests("EndToEndTests", ["PostgreSQL", "RelaisTesting"]),
        tests(
            "RepositoryTests",
            [
                "BlobStore", "CRM", "ConnectorKit", "ERPConnector", "FileSources", "FileTransfer", "Hub",
                "ICalendar", "JSON", "Jobs", "Mail",
                "Mapping",
                "PostgreSQL", "ProgramConnector", "Programs", "SingerConnector",
                "Rules", "Schedule", "Server", "Tabular", "Unpacking",
                "Words", "XML", "YAML", "RelaisTesting", "Diagnostics",
            ]),
        tests(
            "ServerTests",
            ["Server", "Hub", "ICalendar", "Model", "Schedule", "Words", "Diagnostics", mustache]),
        tests("MailTests", ["Mail", "FileTransfer", "RelaisTesting", "Diagnostics"]),
        tests("FileTransferTests", ["FileTransfer", "RelaisTesting", "Diagnostics"]),
        tests(
            "FileSourcesTests",
            ["FileSources", "FileTransfer", "ConnectorKit", "RelaisTesting", "Diagnostics"]),
        tests("RulesTests", ["Rules", "Model", "Diagnostics"]),
        tests("ScheduleTests", ["Schedule", "Model", "Diagnostics"]),
        tests("JobsTests", ["Jobs", "PostgreSQL", "RelaisTesting", "Model", "Diagnostics"]),
        tests("UnpackingTests", ["Unpacking", "RelaisTesting", "Diagnostics"]),
        tests("PostgreSQLTests", ["PostgreSQL", "RelaisTesting", "Model", "Diagnostics"]),
    ]
        + connector("ERP", uses: [.fileSources]) + connector("Singer", uses: [.programs])
        + connector("Program", uses: [.programs, .yaml, .fileTransfer])
)

// libFuzzer brings its own `main`, so the fuzz target exists only where `make fuzz` asks for it.
if Context.environment["RELAIS_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "relais-fuzz",
            dependencies: ["ICalendar", "Mapping", "Tabular", "XML", "JSON", "Model", "Diagnostics"],
            path: "Tests/Fuzz",
            exclude: ["Seeds"],
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
}
