"""Three made-up repositories in the style of public ones: their names, and requests that say each once.

A web service in Python, a compiler in Rust and a game in TypeScript. A third of the names is held out: what
is tuned is tuned on the others. Names that no request says are in the lexicon too, near the ones that are.
"""

from __future__ import annotations

import itertools
import random
import re
import zlib
from dataclasses import dataclass

from voice.hearing.lexicon import Lexicon
from voice.hearing.names import spoken_words


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DISTRACTORS = 400  # names of each repository that are never said

_FUNCTIONS = (
    "What does the function {} do?",
    "Where is {} called?",
    "Add a test for {}.",
    "Why does {} return none?",
    "Show me {}.",
    "Make {} log a warning when it fails.",
    "Does {} handle an empty list?",
    "Find all the callers of {}.",
    "The function {} is too slow, can you make it faster?",
    "Add a comment at the top of {}.",
    "Explain {} to me in two sentences.",
    "What does {} do?",
    "Delete {} and everything that calls it.",
    "Please read me the method {}.",
)
_CLASSES = (
    "Show me the class {}.",
    "What inherits from {}?",
    "Add a method named close to {}.",
    "Which tests cover the class {}?",
    "How is {} used in this project?",
)
_CONSTANTS = (
    "Where is {} defined?",
    "Set {} to thirty.",
    "What is the value of {}?",
)
_FILES = (
    "Open {}.",
    "What is in {}?",
    "Show me the first twenty lines of {}.",
    "Remove the unused imports in {}.",
    "Has {} changed since the last commit?",
)


@dataclass(frozen=True)
class Vocabulary:
    """The names of one repository."""

    name: str
    functions: tuple[str, ...]
    classes: tuple[str, ...]
    constants: tuple[str, ...]
    files: tuple[str, ...]
    nouns: tuple[str, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """Every name that a request says."""
        return (*self.functions, *self.classes, *self.constants, *self.files)


@dataclass(frozen=True)
class Request:
    """What is said, and the name that must be found in what is written."""

    text: str
    name: str
    vocabulary: str
    is_held_out: bool


WEB = Vocabulary(
    "web service",
    _words(
        "parse_config load_session refresh_access_token hash_password verify_signature send_welcome_email"
        " list_open_orders cancel_subscription apply_discount_code compute_sales_tax charge_credit_card"
        " issue_refund validate_address normalize_phone_number limit_request_rate enqueue_job"
        " retry_with_backoff drain_queue flush_cache invalidate_cache_key build_search_index paginate_results"
        " serialize_invoice render_template escape_html upload_thumbnail resize_avatar stream_response"
        " check_health rotate_api_keys audit_login_attempt export_csv import_contacts merge_carts"
        " lock_inventory_row schedule_nightly_backup get_current_user require_admin decode_jwt encode_cursor"
        " slugify_title fetch_exchange_rate ping_database open_connection close_stale_sockets redact_secrets"
        " track_page_view notify_subscribers archive_thread count_unread_messages suggest_username"
        " reset_password_by_mail resolve_tenant sign_download_url trim_whitespace warm_up_workers"
        " wrap_in_transaction"
    ),
    _words(
        "OrderRepository PaymentGateway SessionStore UserSerializer WebhookDispatcher RateLimiter"
        " InvoiceMailer CartItem TokenBucket HTTPClient FeatureFlag AddressForm CouponEngine SearchIndexer"
        " AuditTrail RequestContext MailQueue PermissionDenied TenantMiddleware ShippingLabel"
    ),
    _words(
        "MAX_RETRIES DEFAULT_TIMEOUT SESSION_COOKIE_NAME PAGE_SIZE_LIMIT ALLOWED_ORIGINS QUEUE_DEPTH"
        " TOKEN_LIFETIME CACHE_PREFIX"
    ),
    _words(
        "settings.py orders_controller.py auth/tokens.py billing/invoices.py workers/mail_worker.py"
        " utils/retry.py tests/test_checkout.py conftest.py webhooks.py models/cart.py pyproject.toml"
        " docs/deployment.md api/pagination.py storage/thumbnails.py requirements.txt core/middleware.py"
        " billing/tax_rules.py templates/welcome.html scripts/seed_database.py openapi.json"
    ),
    _words("order invoice session token cart user queue message template address"),
)
COMPILER = Vocabulary(
    "compiler",
    _words(
        "lex_string_literal peek_token expect_semicolon parse_block parse_match_arm lower_to_mir build_cfg"
        " compute_dominators insert_phi_nodes eliminate_dead_code fold_constants inline_call"
        " allocate_registers spill_slot emit_prologue emit_jump_table resolve_imports unify_types"
        " infer_return_type check_borrow mangle_name intern_symbol report_diagnostic pretty_print_ast"
        " walk_expr hoist_loop_invariants coalesce_moves schedule_instructions encode_immediate"
        " relocate_section link_object_files bump_allocate skip_whitespace decode_escape split_critical_edges"
        " simplify_branch number_values unroll_loop strip_debug_info load_prelude find_trait_impl"
        " substitute_generics monomorphize desugar_for_loop expand_macro track_liveness color_graph"
        " rewrite_operands lookup_builtin push_scope pop_scope bind_pattern widen_integer truncate_float"
        " write_elf_header compare_spans recover_from_error"
    ),
    _words(
        "TokenStream SyntaxTree SymbolTable TypeChecker BasicBlock RegisterAllocator LiveRange SourceSpan"
        " DiagnosticSink ConstantPool MatchArm TraitBound CallGraph LoopInfo MacroExpander ObjectWriter"
        " PassManager StackFrame ScopeGuard OperandKind"
    ),
    _words(
        "MAX_INLINE_DEPTH WORD_SIZE RED_ZONE_BYTES KEYWORD_TABLE DEFAULT_OPT_LEVEL SPILL_COST ENTRY_LABEL"
        " TAB_WIDTH"
    ),
    _words(
        "lexer.rs parser/expr.rs codegen/emit.rs ir/builder.rs passes/inline.rs tests/golden.rs Cargo.toml"
        " main.rs types/unify.rs diagnostics.rs regalloc/spill.rs docs/grammar.md linker/sections.rs"
        " passes/dead_code.rs syntax/pretty_print.rs build.rs macros/expand.rs runtime/prelude.rs"
        " rustfmt.toml driver/options.rs"
    ),
    _words("token block type register symbol node edge scope macro operand"),
)
GAME = Vocabulary(
    "game",
    _words(
        "spawnEnemy updatePhysics resolveCollision applyGravity castRay findPath loadTileMap drawSprite"
        " playFootsteps fadeOutMusic rollLootTable equipWeapon dealDamage healPlayer grantExperience"
        " saveCheckpoint restoreCheckpoint shakeCamera followCamera parseDialogueTree queueCutscene"
        " openInventory sortInventorySlots craftItem pickUpCoin toggleDebugOverlay syncRemotePlayer"
        " predictInput reconcileState compressSnapshot blendAnimations bakeLightmap scatterFoliage"
        " generateDungeon seedRandom tickWeather respawnBoss unlockAchievement bindGamepad vibrateController"
        " clampVelocity snapToGrid highlightTile previewPlacement tradeWithMerchant startQuest abandonQuest"
        " showSubtitle skipIntro pauseSimulation throttleFrames disposeTexture packAtlas measureLatency"
        " kickIdlePlayer swapShader stunTarget"
    ),
    _words(
        "EnemySpawner PlayerController QuestLog ParticleEmitter TileMap CollisionGrid InputBuffer SoundMixer"
        " DialogueBox InventorySlot SaveGame HealthBar NetworkClock BehaviorTree CameraRig LootTable"
        " WeaponStats MiniMap ShaderCache PatrolRoute"
    ),
    _words(
        "MAX_PLAYERS GRAVITY_SCALE TILE_SIZE RESPAWN_DELAY CRITICAL_CHANCE SPAWN_RADIUS FRAME_BUDGET"
        " STAMINA_DRAIN"
    ),
    _words(
        "physics.ts scenes/main_menu.ts assets/tileset.json package.json enemies/goblin.ts net/lobby.ts"
        " render/shadows.ts audio/mixer.ts ui/health_bar.ts quests/journal.ts tsconfig.json world/dungeon.ts"
        " input/gamepad.ts save/checkpoints.ts tests/collision.ts docs/controls.md render/particles.ts"
        " items/recipes.json ai/patrol.ts main.ts"
    ),
    _words("player enemy tile quest camera weapon item sprite scene sound"),
)
VOCABULARIES = (WEB, COMPILER, GAME)

_VERBS = _words(
    "get set load save find check make build read write open close start stop add remove update create delete"
    " parse render send count list sort merge split reset apply compute"
)
_EXTENSIONS = {"py": "pie", "rs": "R S", "ts": "T S", "md": "M D", "txt": "text", "html": "H T M L"}
_EXTENSIONS |= {"json": "jason", "toml": "tommel"}
_LETTERS = frozenset(_words("api csv html jwt mir cfg ast elf http ir"))
_AS_SAID = {
    "expr": "expression",
    "impl": "impel",
    "regalloc": "reg alloc",
    "openapi": "open A P I",
    "pyproject": "pie project",
    "conftest": "conf test",
    "rustfmt": "rust format",
    "codegen": "code gen",
    "tsconfig": "T S config",
    "ui": "U I",
    "ai": "A I",
}


def lexicon_of(vocabulary: Vocabulary) -> Lexicon:
    """All that is said, and names like it that are not; how often each is written is drawn by chance."""
    random_ = random.Random(vocabulary.name)
    names = [*vocabulary.functions, *vocabulary.classes, *vocabulary.constants]
    taken = {"".join(spoken_words(name)) for name in names}
    tails = {" ".join(spoken_words(name)[1:]) for name in vocabulary.functions} - {""}
    pairs = list(itertools.product(_VERBS, sorted(tails.union(vocabulary.nouns))))
    random_.shuffle(pairs)
    for verb, noun in pairs:
        words = [verb, *noun.split()]
        if "".join(words) not in taken:
            taken.add("".join(words))
            names.append(_in_style(words, vocabulary))
        if len(names) >= _DISTRACTORS + len(vocabulary.said):
            break
    counts = {name: random_.randint(1, 30) for name in names}
    return Lexicon(vocabulary.files, counts)


def _in_style(words: list[str], vocabulary: Vocabulary) -> str:
    if vocabulary is GAME:
        return words[0] + "".join(word.capitalize() for word in words[1:])
    return "_".join(words)


def requests() -> tuple[Request, ...]:
    """One request for each name that is said, in the order of the vocabularies."""
    found: list[Request] = []
    for vocabulary in VOCABULARIES:
        for names, templates in (
            (vocabulary.functions, _FUNCTIONS),
            (vocabulary.classes, _CLASSES),
            (vocabulary.constants, _CONSTANTS),
            (vocabulary.files, _FILES),
        ):
            for number, name in enumerate(names):
                text = templates[number % len(templates)].format(aloud(name))
                held_out = zlib.crc32(f"{vocabulary.name} {name}".encode()) % 3 == 0
                found.append(Request(text, name, vocabulary.name, held_out))
    return tuple(found)


def aloud(name: str) -> str:
    """A name as a person reads it: `auth/tokens.py` as "auth slash tokens dot pie"."""
    said: list[str] = []
    for piece in re.findall(r"[^./]+|[./]", name):
        if piece in "./":
            said.append("dot" if piece == "." else "slash")
        elif said[-1:] == ["dot"]:
            said.append(_EXTENSIONS.get(piece, piece))
        else:
            said += [_word_aloud(word) for word in spoken_words(piece)]
    return " ".join(said)


def _word_aloud(word: str) -> str:
    if word in _LETTERS:
        return " ".join(word.upper())
    return _AS_SAID.get(word, word)
