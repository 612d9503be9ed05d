// SPDX-License-Identifier: Apache-2.0
// `/api/v1/imports`: records by the thousand, upserted by their external key as a job; what became of each is asked after.

internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Hub
internal import Hummingbird
internal import Jobs
internal import Mapping
internal import PostgreSQL
internal import Words

extension APIRoutes {
    /// Faults that an answer lists.
    private static let faultLimit = 100

    func addImports(to router: Router<WebContext>) {
        router.post("api/v1/imports") { request, context in try await take(request, context) }
        router.get("api/v1/imports/:id") { request, context in try await show(request, context) }
    }

    /// Takes a file; its bytes are kept before it is answered.
    private func take(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.importsWrite)
        // Files hold clients of everybody.
        guard user.mayHandle else { throw ServerError(.forbidden) }
        let mapping = try request.query("mapping").map { try mappings.library().mapping($0).name }
        let name = request.query("name") ?? "import.jsonl"
        guard FileNames.isPlain(name) else { throw ServerError(.fileName, at: Place(value: name)) }
        return try await spool.receive(request, from: "user \(user.id)") { file in
            for try await buffer in request.body { try await file.append(Array(buffer.readableBytesView)) }
            let received = try await file.finish()
            do {
                let response = try await once(request, by: user, body: received.sha256) { connection in
                    try await enqueue(received, name, mapping, user, on: connection)
                }
                await file.drop(received)
                try await pool.withConnection { try await JobQueue.wake(on: $0) }
                return response
            } catch {
                await file.drop(received)
                throw error
            }
        }
    }

    private func enqueue(
        _ file: IncomingFile.Received, _ name: String, _ mapping: String?, _ user: AppUser,
        on connection: Connection
    ) async throws -> RememberedAnswer {
        let id = try await files.take(file, name: name, mapping: mapping, by: user.id, on: connection)
        guard let waiting = try await files.show(id, on: connection) else { throw ServerError(.unexpected) }
        return RememberedAnswer(
            status: 202, location: "/api/v1/imports/\(id)",
            body: try JSONAnswer.text(ImportAnswer(waiting, state: "waiting")))
    }

    private func show(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.importsWrite)
        guard user.mayHandle else { throw ServerError(.forbidden) }
        guard let file = try await files.show(try context.number()), file.isFromProgram else {
            throw ServerError(.notFound)
        }
        guard let number = file.run else {
            let isGivenUp = try await files.isGivenUp(file)
            return try .json(ImportAnswer(file, state: isGivenUp ? "failed" : "waiting"))
        }
        let (run, waiting) = try await pool.withConnection { connection in
            (
                try await Runs.show(number, on: connection),
                try await Quarantine.list(
                    QuarantineFilter(run: number, withClosed: true), limit: Self.faultLimit, on: connection)
            )
        }
        guard let run else { throw ServerError(.notFound) }
        let words = site.words(for: request, context)
        var answer = ImportAnswer(file, state: run.state)
        answer.run = RunRow(run)
        if let failure = run.failure {
            (answer.code, answer.message) = (failure.code, words?.message(failure))
        }
        answer.faults = waiting.map { record in
            .init(
                line: record.line, field: record.field, value: record.value, code: record.code,
                message: words?.message(record.reason) ?? record.code)
        }
        return try .json(answer)
    }
}
