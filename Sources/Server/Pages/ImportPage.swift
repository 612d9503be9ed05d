// SPDX-License-Identifier: Apache-2.0
// `/imports/new`: handing over a file; nothing is written before its preview was seen.

internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Hub
internal import Hummingbird
internal import Mapping
internal import PostgreSQL
internal import Words

/// The form as its template sees it.
struct ImportPage: Page {
    /// A file that waits.
    struct Recent: Sendable {
        let name: String
        let url: String
        let note: String
    }

    static let template = "import"
    static let entry = "/imports/new"
    let title: String
    let limit: String
    let mappings: [String]
    let recent: [Recent]
    let hasRecent: Bool
    let problem: Problem?
}

/// The pages of files that people hand over.
struct ImportPages: Sendable {
    let site: Site
    let tools: ImportTools
    let files: FileImports
    let spool: Spool
    let shelf = PreviewShelf()

    func add(to router: Router<WebContext>) {
        router.get("imports/new") { request, context in
            _ = try context.handling()
            return try await site.answer(try await page(request, context), to: request, context)
        }
        router.post("imports") { request, context in try await take(request, context) }
        addPreviews(to: router)
    }

    private func page(
        _ request: Request, _ context: WebContext, _ fault: Diagnostic? = nil
    ) async throws -> ImportPage {
        let saying = try site.saying(request, context)
        let title = saying.words("page.nav.import")
        let waiting = try await files.list()
        return ImportPage(
            title: fault == nil ? title : saying.words("page.form.wrong", ["title": title]),
            limit: saying.words("page.import.limit", ["size": saying.words.bytes(spool.limit)]),
            mappings: try tools.mappings.library().mappings.keys.sorted(),
            recent: waiting.map { file in
                .init(
                    name: file.name, url: "/previews/\(file.id)",
                    note: "\(saying.words.bytes(file.size)), \(saying.ago(file.madeAt))")
            }, hasRecent: !waiting.isEmpty, problem: fault.map { Problem($0, saying.words) })
    }

    /// What a form with a file brought.
    private struct Taken {
        var fields: [String: [UInt8]] = [:]
        var name: String?
    }

    private func take(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.handling()
        do {
            return try await spool.receive(request, from: "user \(user.id)") { file in
                try await take(request, context, into: file, by: user)
            }
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            guard !["HTTP-FORM", "SIGN-IN-NEEDED"].contains(error.diagnostic.code) else { throw error }
            let page = try await page(request, context, error.diagnostic)
            let status = TellErrors.status(of: error.diagnostic)
            // What is wrong with the form itself is of one kind.
            let isOfForm = [400, 409, 500].contains(status.code)
            return try await site.answer(
                page, to: request, context, status: isOfForm ? .unprocessableContent : status)
        }
    }

    private func take(
        _ request: Request, _ context: WebContext, into file: IncomingFile, by user: AppUser
    ) async throws -> Response {
        let taken = try await read(request, context, into: file)
        guard let name = taken.name, FileNames.isPlain(name) else {
            throw ServerError(.fileName, at: Place(value: taken.name))
        }
        let received = try await file.finish()
        defer { shelf.sweep() }
        do {
            let chosen = String(decoding: taken.fields["mapping"] ?? [], as: UTF8.self)
            let mapping = try chosen.isEmpty ? nil : tools.mappings.library().mapping(chosen).name
            let id = try await files.keep(received, name: name, mapping: mapping, by: user.id)
            await file.drop(received)
            return .redirect(to: "/previews/\(id)")
        } catch {
            await file.drop(received)
            throw error
        }
    }

    /// Reads a form; its token comes before the first byte of its file.
    private func read(
        _ request: Request, _ context: WebContext, into file: IncomingFile
    ) async throws -> Taken {
        guard var reader = MultipartReader(contentType: request.headers[.contentType]) else {
            throw HTTPError(.unsupportedMediaType)
        }
        var taken = Taken()
        var current: String?
        var isFile = false
        var count = 0
        for try await buffer in request.body {
            try spool.count(buffer.readableBytes, in: &count)
            for event in try reader.feed(Array(buffer.readableBytesView)) {
                switch event {
                case .part(let name, let fileName):
                    (current, isFile) = (name, fileName != nil)
                    guard let fileName else { continue }
                    let token = String(decoding: taken.fields[Form.tokenField] ?? [], as: UTF8.self)
                    guard context.visitor?.isFormToken(token) == true else { throw ServerError(.form) }
                    // Two files would become one.
                    guard taken.name == nil else { throw ServerError(.request) }
                    taken.name = fileName
                case .bytes(let bytes):
                    if isFile {
                        try await file.append(bytes)
                    } else if let current {
                        guard taken.fields.count < 20, taken.fields[current, default: []].count < 10_000
                        else {
                            throw ServerError(.request)
                        }
                        taken.fields[current, default: []] += bytes
                    }
                case .end: break
                }
            }
        }
        guard reader.isComplete else { throw ServerError(.request) }
        return taken
    }
}
