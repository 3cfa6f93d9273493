/* The ownership protocol of one package on N nodes and one array, for spin. Read with docs/ownership.md.
 *
 * One storage command of agent/holdfast_agent/core is one atomic step here, because that is what it is for the array.
 * Between any two steps a node may be frozen or die, so a command decided before a freeze takes effect after it, past
 * every check of the node: that is the case that breaks naive fencing. There is no time. Without -DPROGRESS and -DSTAY
 * a challenge may begin at any moment and strike as soon as it likes: lost, late and forged heartbeats and freezes of
 * any length are all inside that. Where a property needs the wait W (STAY), the wait is "a victim that was healthy all
 * along has finished a round".
 *
 * Keys: two bits per node, the key of this start and of the one before. lockreg/datareg: registered keys;
 * lockhold/datahold: key of the holder, 0 for none. All LUNs of a kind are one LUN, all paths of a node are one path;
 * a path that returns without a registration is the event pret.
 *
 * up, frozen, dead: node without power, asleep, without its agent. bel: mounted here. addr: has the address. stale: the nodes
 * that have read everything back as their own since this one did. unheard: peers whose messages do not arrive here.
 * left_alone: the agent that died had written down that the others stand off, so that the next one does not give up.
 *
 * Without time, "for at most so long" is "while there is a reason in force that ends it" (see `lets_go`): each reason is a
 * step that is enabled, and its bound is a timer of the agent. That the steps do come is what the final states check, also
 * for an owner that never gives up by itself (-DPATIENCE).
 *
 * -DN=2|3, budgets -DCRASHES= -DFREEZES= -DAGENTS= -DPATHS= -DRETURNS= -DHBCUTS= -DLOSSES= -DWITS= -DSTOPS= -DDETACHES=
 * -DCLEARS= -DARRAYS=
 * -DPROGRESS (challenges need evidence, final state is checked), -DSTAY (W is honoured, a healthy owner stays),
 * -DPATIENCE (an owner without storage never gives up for its own part)
 * -DTRACE (prints what test_model_replay.py plays to the code), -DM_... removes one guard (see check.py).
 *
 * What keeps the search small, and why nothing is lost by it:
 * - Nodes are interchangeable: the model knows no order of preference. They are numbered in the order of their first
 *   step or fault (`known`), so every run is searched once and not once per naming. Not with -DTRACE.
 * - Keys are shifted at boot (this start's becomes the one before) instead of alternating between two bits. A stale
 *   name of a key two starts old is then taken for the one before: it may hit more than on a real array, never less.
 * - What a node does not need any more it forgets at once (vic, oth, wait, accused_by).
 * - A fault that may heal and has not is the same as one that never heals, as long as only states are looked at:
 *   `forever` exists with -DPROGRESS alone, where the end of a run is.
 */
#ifndef N
#define N 2
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef FREEZES
#define FREEZES 0
#endif
#ifndef AGENTS
#define AGENTS 0
#endif
#ifndef PATHS
#define PATHS 0
#endif
#ifndef RETURNS
#define RETURNS 0
#endif
#ifndef HBCUTS
#define HBCUTS 0
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#ifndef WITS
#define WITS 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef DETACHES
#define DETACHES 0
#endif
#ifndef CLEARS
#define CLEARS 0
#endif
#ifndef ARRAYS
#define ARRAYS 0
#endif

#define IDLE 0
#define REG 1
#define LOOK 2
#define STRIKE 3
#define DOUBT 4
#define WITHDRAW 5
#define RECHECK 6
#define SWEEP 7
#define REGDATA 8
#define CHECKLOCK 9
#define PREDATA 10
#define RESDATA 11
#define NOTE 12
#define VERIFY 13
#define REGLOCK 14
#define MOUNT 15
#define ADDR 16
#define RUN 17
#define DEFEND 18
#define CLEANDATA 19
#define R_LOCK 20
#define R_RESLOCK 21
#define R_DATA 22
#define R_RESDATA 23
#define R_VERIFY 24
#define R_RESUME 25
#define KILL 26
#define INSPECT 27
#define CLEANUP 28
#define UNMOUNT 29
#define RELDATA 30
#define DETACHED 31
#define BACKOUT 32
#define SUSPEND 33
#define VERIFY_DATA 34
#define ADOPT 35

#define K(i) (1 << (2 * (i)))
#define OLD(i) (2 << (2 * (i)))
#define MINE(i) (3 << (2 * (i)))

byte lockreg, lockhold, datareg, datahold;
bit detached_note, hbcut, array_down;

bit up[N], frozen[N], dead[N], left_alone[N], path[N], wit[N];
bit bel[N], susp[N], addr[N], pret[N], seen[N];
byte pc[N], vic[N], oth[N], spent[N];
bit accused_by[N];
byte wait[N], stale[N], unheard[N];
byte crashes, freezes, agents, paths, returns, hbcuts, losses, wits, stops, detaches, clears, arrays;
byte victim_node, known;

/* A node runs; its agent does, too; it reaches the array. */
#define runs(i) (up[i] && !frozen[i])
#define alive(i) (up[i] && !frozen[i] && !dead[i])
#define storage(i) (path[i] && !array_down)
#define reach(i) (alive(i) && storage(i))
/* Heartbeats of j arrive at i. `unheard` has a bit for each peer whose messages are lost on the way to i. */
#define hears(i, j) (alive(j) && !hbcut && (unheard[i] & (1 << (j))) == 0)
#define healthy(i) (alive(i) && path[i] && wit[i])
#define accepted(i) (datahold == 0 || (datareg & K(i)) != 0)
#define writes(i) (bel[i] && !susp[i] && accepted(i))

#ifdef TRACE
#define SAY(i, what) printf("STEP %d %e lock %d %d data %d %d vic %d oth %d\n", i, what, lockreg, lockhold, datareg, datahold, vic[i], oth[i])
#define FAULT(i, what) printf("FAULT %d %e\n", i, what)
#define NUMBERED(i) (1)
#define MEET(i) skip
#else
#define SAY(i, what) skip
#define FAULT(i, what) skip
#define NUMBERED(i) (i <= known)
#define MEET(i) known = known + (i == known)
#endif

#ifdef TRACE
/* For a long while nothing heals and no patience ends, so that a random run shows what a node does meanwhile. And faults
 * come where they matter, so that their budget lasts. */
bit calm;
#define MANY :: skip :: skip :: skip :: skip :: skip :: skip :: skip :: skip
active proctype weather() {
    do
    :: calm = !calm
    MANY MANY MANY MANY MANY
    od
}
#define FOREVER(i) (calm)
#define PATIENT (calm)
#define MAY_LOSE_PATHS(i) (pc[i] == (calm -> RUN : RESDATA))
#define MAY_HEAR_LESS(i) (pc[i] == RUN && !calm)
inline heals_or_not(i) { skip }
#else
#define MAY_LOSE_PATHS(i) (1)
#define MAY_HEAR_LESS(i) (1)
#ifdef PATIENCE
#define PATIENT (1)
#else
#define PATIENT (0)
#endif
#ifdef PROGRESS
bit forever[N];
#define FOREVER(i) forever[i]
inline heals_or_not(i) {
    if
    :: skip
    :: forever[i] = 1
    fi
}
#else
#define FOREVER(i) (0)
inline heals_or_not(i) { skip }
#endif
#endif

mtype = {
    t_own_past, t_begin, t_register, t_look, t_reserve_ok, t_strike_ok, t_strike_conflict, t_doubt, t_unregister_lock, t_recheck,
    t_sweep_ok, t_sweep_conflict, t_register_data, t_check_lock, t_preempt_data_ok, t_preempt_data_conflict,
    t_reserve_data_ok, t_reserve_data_conflict, t_note_ok, t_note_conflict, t_verify, t_register_lock, t_back_out, t_mount,
    t_serve, t_round, t_defend_ok, t_defend_conflict, t_clean_data_ok, t_clean_data_conflict, t_suspend,
    t_repair_register_lock, t_repair_reserve_lock_ok, t_repair_reserve_lock_conflict, t_repair_register_data,
    t_repair_reserve_data_ok, t_repair_reserve_data_conflict, t_repair_verify, t_resume, t_killed, t_watchdog, t_inspect,
    t_clean_up, t_give_up, t_believe, t_let_go, t_proven, t_no_answer, t_adopt, t_unmount, t_release_data, t_keep_data,
    t_stop, t_detach, t_attach,
    crash, boot, freeze, thaw, agent_killed, agent_back, watchdog, no_path, path_back, path_returned, isolated, connected,
    heartbeat_cut, unheard_0, unheard_1, unheard_2, heard, keys_lost, array_off, array_on
};

/* -- who may challenge ------------------------------------------------------------------------------------ */

inline node_of(key) {
    if
    :: (key & MINE(0)) != 0 -> victim_node = 0
    :: (key & MINE(1)) != 0 -> victim_node = 1
#if N > 2
    :: (key & MINE(2)) != 0 -> victim_node = 2
#endif
    :: else -> victim_node = N
    fi
}

#define CUT(i, j) (hbcut | ((unheard[i] >> (j)) & 1))
#define EV(i, j) ((CUT(i, j) | ((!alive(j)) << 1) | ((!path[j]) << 2) | ((!wit[j]) << 3)))
#ifdef M_NO_SPENT
#define UNSPENT(i, j) (EV(i, j) != 0)
#else
#define UNSPENT(i, j) ((EV(i, j) & ~spent[i]) != 0)
#endif
#ifdef PROGRESS
#ifdef M_NO_WITNESS
#define MAY_ACCUSE(i, j) UNSPENT(i, j)
#else
#define MAY_ACCUSE(i, j) (wit[i] && UNSPENT(i, j))
#endif
#define BUSY(i, j) (bel[j] && hears(i, j))
#else
#define MAY_ACCUSE(i, j) (1)
#ifdef STAY
#define BUSY(i, j) (alive(j) && bel[j])
#else
#define BUSY(i, j) (0)
#endif
#endif
#define ACCUSED_FOR(i, j) ((lockhold & MINE(j)) != 0 && MAY_ACCUSE(i, j))
#if N > 2
#define ACCUSED(i) (ACCUSED_FOR(i, 0) || ACCUSED_FOR(i, 1) || ACCUSED_FOR(i, 2))
#else
#define ACCUSED(i) (ACCUSED_FOR(i, 0) || ACCUSED_FOR(i, 1))
#endif
#ifdef M_NO_STANDOFF
#define STANDOFF (0)
#else
#define STANDOFF (detached_note)
#endif

/* -- the wait: a victim that was healthy since the registration has finished a defence ---------------------
 * wait[i]: 0, or 1 + the node whose defence the challenger i waits for. */

#ifdef STAY
#ifdef M_NO_WAIT
#define WAITED(i) (1)
#else
/* Only a holder that is on its way to the mount or has it mounted defends; the others have nothing to defend. */
#define DEFENDS(p) ((p >= RECHECK && p <= R_RESUME) || p >= SUSPEND)
#define WAITED(i) (wait[i] == 0 || lockhold != vic[i] || !DEFENDS(pc[wait[i] - 1]))
#endif
inline start_wait(i) {
    node_of(vic[i]);
    wait[i] = 0;
    if
    :: victim_node < N && victim_node != i && healthy(victim_node) && lockhold == vic[i] -> wait[i] = victim_node + 1
    :: else
    fi
}
#ifdef M_NO_DEFEND
#define ANSWERED(x) 1
#else
#define ANSWERED(x) ((lockreg & MINE(x)) == 0)
#endif
inline end_wait(j, i, condition) {
    if
    :: wait[j] == i + 1 && (condition) -> wait[j] = 0
    :: else
    fi
}
/* node i, the holder, has looked and removed what it found: the waits against it may end */
inline defended(i) {
    end_wait(0, i, ANSWERED(0));
    end_wait(1, i, ANSWERED(1));
#if N > 2
    end_wait(2, i, ANSWERED(2))
#endif
}
inline unwell(i) {
    end_wait(0, i, true);
    end_wait(1, i, true);
#if N > 2
    end_wait(2, i, true)
#endif
}
#else
#define WAITED(i) (1)
inline start_wait(i) { skip }
inline defended(i) { skip }
inline unwell(j) { skip }
#endif

/* -- the array --------------------------------------------------------------------------------------------- */

inline register_lock(i) {
    if
    :: (lockreg & OLD(i)) != 0 ->
        lockreg = (lockreg & ~OLD(i)) | K(i);
        if
        :: lockhold == OLD(i) -> lockhold = K(i)
        :: else
        fi
    :: else -> lockreg = lockreg | K(i)
    fi
}
inline register_data(i) {
    if
    :: (datareg & OLD(i)) != 0 ->
        datareg = (datareg & ~OLD(i)) | K(i);
        if
        :: datahold == OLD(i) -> datahold = K(i)
        :: else
        fi
    :: else -> datareg = datareg | K(i)
    fi
}
inline unregister_lock(i) {
    lockreg = lockreg & ~K(i);
    if
    :: lockhold == K(i) -> lockhold = 0
    :: else
    fi
}
inline unregister_data(i) {
    datareg = datareg & ~K(i);
    if
    :: datahold == K(i) -> datahold = 0
    :: else
    fi
}
inline preempt_lock(i, victims) {
    if
    :: (lockhold & (victims)) != 0 -> lockhold = K(i)
    :: else
    fi;
    lockreg = lockreg & ~(victims)
}
inline preempt_data(i, victims) {
    if
    :: (datahold & (victims)) != 0 -> datahold = K(i)
    :: else
    fi;
    datareg = datareg & ~(victims)
}
inline older(keys, i) {
    if
    :: (keys & K(i)) != 0 -> keys = (keys & ~K(i)) | OLD(i)
    :: else
    fi
}
/* a start of node i or of its agent: the key of the start before becomes an old one, wherever it stands */
inline new_key(i) {
    older(lockreg, i); older(lockhold, i); older(datareg, i); older(datahold, i);
    older(vic[0], i); older(vic[1], i); older(oth[0], i); older(oth[1], i);
#if N > 2
    older(vic[2], i); older(oth[2], i);
#endif
    skip
}

/* -- one node ---------------------------------------------------------------------------------------------- */

#ifdef STAY
bit unhurt[N];
#define BEGINS_UNHURT(i) unhurt[i] = wit[i]
#define HURT(i) unhurt[i] = 0; unwell(i)
#else
#define BEGINS_UNHURT(i) skip
#define HURT(i) skip
#endif

inline go(i, where) {
    vic[i] = 0;
    oth[i] = 0;
    wait[i] = 0;
    accused_by[i] = 0;
    pc[i] = where
}
/* An agent that has just come back and ends what it found goes on with a key of its own. */
inline not_adopted(i) {
    if
    :: pc[i] == ADOPT -> new_key(i)
    :: else
    fi;
    left_alone[i] = 0
}
inline defeated(i) {
    /* Only a cut heartbeat outlasts a lost challenge: who is down, isolated or without storage does not defend. */
    spent[i] = spent[i] | accused_by[i];
    go(i, IDLE)
}
inline eject(i) {
    addr[i] = 0;
#ifdef STAY
#if CLEARS == 0
    /* I5: nothing ever happened to this node, so nobody may have taken the package from it. */
    assert(!unhurt[i]);
#endif
#endif
    pc[i] = KILL
}
inline power_off(i) {
    up[i] = 0; frozen[i] = 0; dead[i] = 0; left_alone[i] = 0; bel[i] = 0; addr[i] = 0; susp[i] = 0; pret[i] = 0; seen[i] = 0;
    stale[i] = 0; spent[i] = 0;
    go(i, IDLE)
}
/* node i has read everything back as its own: whoever believed the same before has been followed, by i */
#define HAS(j) (bel[j] || pc[j] == MOUNT)
#define AFTER(j, i) (i == j -> 0 : (HAS(j) -> stale[j] | (1 << (i)) : 0))
inline follow(i) {
    stale[0] = AFTER(0, i);
    stale[1] = AFTER(1, i);
#if N > 2
    stale[2] = AFTER(2, i)
#endif
}

/* A data LUN without a reservation takes every write, also what a replaced owner has kept until it wakes. So the holder
 * leaves its reservation there for the next owner to preempt; in an ordered release it may go, if every other node was
 * heard at rest since. */
#ifdef M_RESERVATION_DROPPED
#define KEEPS_DATA(i) (0)
#define OTHERS_AT_REST(i) (1)
#else
#define KEEPS_DATA(i) (datahold == K(i))
#define AT_REST(i, j) (i == j || (!bel[j] && pc[j] != MOUNT))
#if N > 2
#define OTHERS_AT_REST(i) (AT_REST(i, 0) && AT_REST(i, 1) && AT_REST(i, 2))
#else
#define OTHERS_AT_REST(i) (AT_REST(i, 0) && AT_REST(i, 1))
#endif
#endif
inline back_out(i, through) {
    oth[i] = 0;
    pc[i] = (KEEPS_DATA(i) -> WITHDRAW : through)
}

#define LOCK_LOST(i) (((lockreg & K(i)) == 0 && lockreg != 0) || (lockhold != 0 && lockhold != K(i)))
#define DATA_LOST(i) (((datareg & K(i)) == 0 && datareg != 0) || (datahold != 0 && datahold != K(i)))
#define LOST(i) (LOCK_LOST(i) || DATA_LOST(i))
#define EMPTY (lockreg == 0 || datareg == 0)
#define BARE(i) (lockhold != K(i) || datahold != K(i))
#define DAMAGED(i) (EMPTY || BARE(i) || pret[i])
#define ALL_OWN(i) (lockreg == K(i) && lockhold == K(i) && datareg == K(i) && datahold == K(i))
#define READY(i, j) (i != j && hears(i, j) && healthy(j) && pc[j] == IDLE)
#if N > 2
#define PEER_READY(i) (READY(i, 0) || READY(i, 1) || READY(i, 2))
#define ANY_BUSY(i) (BUSY(i, 0) || BUSY(i, 1) || BUSY(i, 2))
#else
#define PEER_READY(i) (READY(i, 0) || READY(i, 1))
#define ANY_BUSY(i) (BUSY(i, 0) || BUSY(i, 1))
#endif
/* What an owner that does not reach the array goes by: whoever took the package after it says so, with a higher term. An
 * agent that has just come back does not know its own term before its first look: it believes every owner, and nobody
 * believes it. Where not everybody is heard, somebody may have taken the package in silence. */
#ifdef M_OWNERS_ONLY
#define HAS_IT(j) (HAS(j) && pc[j] != DETACHED && pc[j] != UNMOUNT)
#else
#define HAS_IT(j) (HAS(j))
#endif
#define TOLD_BY(i, j) (i != j && hears(i, j) && HAS_IT(j) && pc[j] != ADOPT && (pc[i] == ADOPT || (stale[i] & (1 << (j))) != 0))
#define TOLD_SOON_BY(i, j) (i != j && hears(i, j) && HAS(j) && pc[j] == ADOPT && reach(j) && (stale[i] & (1 << (j))) != 0)
#define SILENT(i, j) (i != j && !hears(i, j))
#if N > 2
#define ANY_OF(what, i) (what(i, 0) || what(i, 1) || what(i, 2))
#else
#define ANY_OF(what, i) (what(i, 0) || what(i, 1))
#endif
#ifdef M_NO_SUCCESSOR
#define TOLD(i) (0)
#define FOLLOWED(i) (0)
#else
#define TOLD(i) ANY_OF(TOLD_BY, i)
#define FOLLOWED(i) (TOLD(i) || ANY_OF(TOLD_SOON_BY, i))
#endif
#ifdef M_KEEPS_UNHEARD
#define UNHEARD(i) (0)
#else
#ifdef M_ONE_HEARD
#define HEARD(i, j) (i != j && hears(i, j))
#define UNHEARD(i) (!ANY_OF(HEARD, i))
#else
#define UNHEARD(i) ANY_OF(SILENT, i)
#endif
#endif
#ifdef M_LOSS_IGNORED
#define LOSS_SEEN(i) (0)
#else
#define LOSS_SEEN(i) LOST(i)
#endif
/* Mounted here, and the agent looks after it. */
#define WATCHES(i) (alive(i) && bel[i] && pc[i] != KILL && pc[i] != DETACHED)
#ifdef M_ADOPT_WAITS
#define ACTS(i) (WATCHES(i) && pc[i] != ADOPT)
#else
#define ACTS(i) WATCHES(i)
#endif
/* A storage command is under way; they have ended, and the looks show nothing. */
#define AWAITS(i) (pc[i] == STRIKE || (pc[i] >= SWEEP && pc[i] <= NOTE && pc[i] != CHECKLOCK) || pc[i] == REGLOCK || \
    pc[i] == DEFEND || pc[i] == CLEANDATA || (pc[i] >= R_LOCK && pc[i] <= R_RESDATA))
#define LOOKS_IN_VAIN(i) (ACTS(i) && !storage(i) && \
    (pc[i] == ADDR || pc[i] == RUN || pc[i] == R_VERIFY || pc[i] == UNMOUNT || pc[i] == ADOPT))

#ifdef M_ISOLATED_DEFENDS
#define GIVES_WAY(i) (0)
#else
#define GIVES_WAY(i) (!wit[i])
#endif

inline claim_again(i) {
#ifdef M_SWEEP_UNSEEN
    oth[i] = lockreg & ~K(i); pc[i] = REGLOCK
#else
    pc[i] = RECHECK
#endif
}
#ifdef M_NO_LOCK_CHECK
#define LOCK_WAS_READ(i) (lockhold == K(i))
#else
#define LOCK_WAS_READ(i) (1)
#endif
inline look_at_data(i) {
    SAY(i, t_verify);
    if
    :: DATA_LOST(i) -> back_out(i, BACKOUT)
    :: datareg == K(i) && datahold == K(i) -> seen[i] = LOCK_WAS_READ(i); follow(i); pc[i] = MOUNT
    :: !DATA_LOST(i) && (datareg != K(i) || datahold != K(i)) -> claim_again(i)
    fi
}
/* A mutation that mounts without a look: `seen` is what it would have shown. */
inline mount_unseen(i) {
    seen[i] = ALL_OWN(i); follow(i); pc[i] = MOUNT
}
/* What is played to the code is one look; and what a node finds it still holds it takes up in the same step. */
#ifdef TRACE
#define LOOK_AT_DATA(i) look_at_data(i)
#define STILL_OWN RECHECK
#else
#define LOOK_AT_DATA(i) pc[i] = VERIFY_DATA
#define STILL_OWN IDLE
#endif

proctype node(byte i) {
    do
    :: atomic { reach(i) && pc[i] == IDLE && !STANDOFF && (lockhold & MINE(i)) != 0 ->
        if
        :: lockhold == K(i) -> pc[i] = RECHECK
        :: else -> vic[i] = lockhold; pc[i] = REG
        fi;
        SAY(i, t_own_past) }
    :: atomic { reach(i) && pc[i] == IDLE && NUMBERED(i) && !STANDOFF && lockhold == 0 && !ANY_BUSY(i) && wit[i] ->
        MEET(i); pc[i] = REG;
        SAY(i, t_begin) }
    :: atomic { reach(i) && pc[i] == IDLE && NUMBERED(i) && !STANDOFF && (lockhold & MINE(i)) == 0 && ACCUSED(i) ->
        MEET(i); vic[i] = lockhold; accused_by[i] = hbcut | (unheard[i] != 0); pc[i] = REG;
        SAY(i, t_begin) }
    :: atomic { reach(i) && pc[i] == REG ->
        register_lock(i);
#ifdef M_CHALLENGER_ON_DATA
        register_data(i);
#endif
        start_wait(i);
        pc[i] = LOOK;
        SAY(i, t_register) }
    :: atomic { reach(i) && pc[i] == LOOK && WAITED(i) ->
        SAY(i, t_look);
        if
        :: STANDOFF -> go(i, WITHDRAW)
        :: !STANDOFF && (lockreg & K(i)) == 0 && lockreg != 0 -> defeated(i)
        :: !STANDOFF && (lockreg & K(i)) == 0 && lockreg == 0 -> vic[i] = 0; pc[i] = REG
        :: !STANDOFF && (lockreg & K(i)) != 0 && lockhold == K(i) -> go(i, RECHECK)
        :: !STANDOFF && (lockreg & K(i)) != 0 && lockhold != K(i) && lockhold == vic[i] -> wait[i] = 0; pc[i] = STRIKE
        :: !STANDOFF && (lockreg & K(i)) != 0 && lockhold == 0 && vic[i] != 0 -> vic[i] = 0; start_wait(i)
        :: !STANDOFF && (lockreg & K(i)) != 0 && lockhold != 0 && lockhold != K(i) && lockhold != vic[i] -> go(i, WITHDRAW)
        fi }
    :: atomic { reach(i) && pc[i] == STRIKE ->
        if
        :: vic[i] == 0 && (lockreg & K(i)) != 0 && (lockhold == 0 || lockhold == K(i)) ->
            lockhold = K(i); SAY(i, t_reserve_ok); go(i, RECHECK)
        :: vic[i] != 0 && (lockreg & K(i)) != 0 && (lockreg & vic[i]) != 0 ->
            preempt_lock(i, vic[i]); SAY(i, t_strike_ok); go(i, RECHECK)
        :: else -> SAY(i, t_strike_conflict); pc[i] = DOUBT
        fi }
    :: atomic { reach(i) && pc[i] == DOUBT ->
        SAY(i, t_doubt);
        if
        :: (lockreg & K(i)) == 0 && lockreg != 0 -> defeated(i)
        :: (lockreg & K(i)) == 0 && lockreg == 0 -> vic[i] = 0; pc[i] = REG
        :: (lockreg & K(i)) != 0 && lockhold == K(i) -> go(i, RECHECK)
        :: (lockreg & K(i)) != 0 && lockhold == 0 -> vic[i] = 0; start_wait(i); pc[i] = LOOK
        :: (lockreg & K(i)) != 0 && lockhold != 0 && lockhold == vic[i] -> start_wait(i); pc[i] = LOOK
        :: (lockreg & K(i)) != 0 && lockhold != 0 && lockhold != K(i) && lockhold != vic[i] -> go(i, WITHDRAW)
        fi }
    :: atomic { reach(i) && pc[i] == WITHDRAW ->
        unregister_lock(i); go(i, IDLE);
        SAY(i, t_unregister_lock) }

    /* won the lock LUN: the order of the following steps is the safety argument */
    :: atomic { reach(i) && pc[i] == RECHECK ->
        SAY(i, t_recheck);
        oth[i] = lockreg & ~K(i);
        if
        :: lockhold != K(i) -> back_out(i, BACKOUT)
        :: lockhold == K(i) && oth[i] != 0 && GIVES_WAY(i) -> back_out(i, BACKOUT)
        :: lockhold == K(i) && oth[i] != 0 && !GIVES_WAY(i) -> pc[i] = SWEEP
        :: else -> pc[i] = REGDATA
        fi }
    :: atomic { reach(i) && pc[i] == SWEEP ->
        if
        :: (lockreg & K(i)) != 0 && (oth[i] & ~lockreg) == 0 ->
            preempt_lock(i, oth[i]); defended(i); pc[i] = REGDATA; oth[i] = 0; SAY(i, t_sweep_ok)
        :: (lockreg & K(i)) != 0 && (oth[i] & ~lockreg) != 0 ->
            preempt_lock(i, oth[i]); defended(i); pc[i] = RECHECK; oth[i] = 0; SAY(i, t_sweep_conflict)
        :: else -> pc[i] = RECHECK; oth[i] = 0; SAY(i, t_sweep_conflict)
        fi }
    :: atomic { reach(i) && pc[i] == REGDATA ->
        register_data(i); pret[i] = 0; pc[i] = CHECKLOCK;
        SAY(i, t_register_data) }
    :: atomic { reach(i) && pc[i] == CHECKLOCK ->
        SAY(i, t_check_lock);
        oth[i] = (datareg | datahold) & ~K(i);
        if
#ifndef M_NO_LOCK_CHECK
        :: lockhold != K(i) -> back_out(i, BACKOUT)
        :: lockhold == K(i) && oth[i] != 0 -> pc[i] = PREDATA
#else
        :: oth[i] != 0 -> pc[i] = PREDATA
#endif
        :: else -> pc[i] = RESDATA
        fi;
#ifdef M_NO_DATA_PREEMPT
        if
        :: pc[i] == PREDATA -> oth[i] = 0; mount_unseen(i)
        :: else
        fi
#endif
        skip }
    :: atomic { reach(i) && pc[i] == PREDATA ->
        if
        :: (datareg & K(i)) != 0 -> preempt_data(i, oth[i]); pc[i] = RESDATA; SAY(i, t_preempt_data_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_preempt_data_conflict)
        fi;
        oth[i] = 0 }
    :: atomic { reach(i) && pc[i] == RESDATA ->
#ifdef M_NO_RESERVE_DATA
        mount_unseen(i)
#else
        if
        :: (datareg & K(i)) != 0 && (datahold == 0 || datahold == K(i)) ->
            datahold = K(i); pc[i] = NOTE; SAY(i, t_reserve_data_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_reserve_data_conflict)
        fi
#endif
        }
    :: atomic { reach(i) && pc[i] == NOTE ->
        if
        :: lockhold == 0 || (lockreg & K(i)) != 0 -> pc[i] = VERIFY; SAY(i, t_note_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_note_conflict)
        fi;
#ifdef M_NO_VERIFY
        mount_unseen(i);
#endif
        skip }
    /* the last look: the lock LUN first, then the data LUNs, and not at the same moment */
    :: atomic { reach(i) && pc[i] == VERIFY ->
        oth[i] = 0;
        if
#ifndef M_NO_LOCK_CHECK
        :: lockhold != K(i) || LOCK_LOST(i) -> SAY(i, t_verify); back_out(i, BACKOUT)
        :: lockhold == K(i) && !LOCK_LOST(i) && lockreg != K(i) -> SAY(i, t_verify); claim_again(i)
        :: lockhold == K(i) && lockreg == K(i) -> BEGINS_UNHURT(i); LOOK_AT_DATA(i)
#else
        :: LOOK_AT_DATA(i)
#endif
        fi }
    :: atomic { reach(i) && pc[i] == VERIFY_DATA -> look_at_data(i) }
    :: atomic { reach(i) && pc[i] == REGLOCK ->
        register_lock(i); SAY(i, t_register_lock);
        if
        :: oth[i] != 0 -> pc[i] = SWEEP
        :: else -> pc[i] = REGDATA
        fi }
    :: atomic { reach(i) && pc[i] == BACKOUT ->
        unregister_data(i); pc[i] = WITHDRAW;
        SAY(i, t_back_out) }
    :: atomic { alive(i) && pc[i] == MOUNT ->
        /* I3: decided on one look that showed the own key alone on everything */
        assert(seen[i]);
        seen[i] = 0;
        bel[i] = 1; pc[i] = ADDR;
        SAY(i, t_mount) }
    :: atomic { alive(i) && pc[i] == ADDR ->
        addr[i] = 1; pc[i] = RUN; SAY(i, t_serve) }

    /* the package is mounted: one round looks at everything; a round that finds nothing new is not a step */
    :: atomic { reach(i) && pc[i] == RUN && (!ALL_OWN(i) || pret[i] || (!wit[i] && PEER_READY(i))) ->
        oth[i] = 0;
        if
        :: LOSS_SEEN(i) -> eject(i)
        :: !LOST(i) && DAMAGED(i) ->
#ifdef M_NO_SUSPEND
            pc[i] = R_LOCK
#else
            pc[i] = SUSPEND
#endif
        :: !LOST(i) && !DAMAGED(i) && datareg != K(i) -> oth[i] = datareg & ~K(i); pc[i] = CLEANDATA
        :: !LOST(i) && !DAMAGED(i) && datareg == K(i) && lockreg != K(i) ->
            if
            :: GIVES_WAY(i) -> addr[i] = 0; pc[i] = UNMOUNT
            :: else ->
#ifdef M_NO_DEFEND
                defended(i)
#else
                oth[i] = lockreg & ~K(i); pc[i] = DEFEND
#endif
            fi
        :: ALL_OWN(i) && !pret[i] ->
#ifdef M_ISOLATED_DEFENDS
            skip
#else
            addr[i] = 0; pc[i] = UNMOUNT
#endif
        fi;
        SAY(i, t_round) }
    /* it also looks while it starts or stops */
    :: atomic { reach(i) && (pc[i] == ADDR || pc[i] == UNMOUNT) && bel[i] && LOSS_SEEN(i) -> eject(i); SAY(i, t_round) }
    /* an address that was let go comes back with a proof */
#ifdef M_BACK_UNPROVEN
    :: atomic { alive(i) && pc[i] == RUN && !addr[i] -> addr[i] = 1; SAY(i, t_proven) }
#else
    :: atomic { reach(i) && pc[i] == RUN && !addr[i] && ALL_OWN(i) && !pret[i] -> addr[i] = 1; SAY(i, t_proven) }
#endif
    :: atomic { reach(i) && pc[i] == DEFEND ->
        if
        :: (lockreg & K(i)) != 0 -> preempt_lock(i, oth[i]); SAY(i, t_defend_ok)
        :: else -> SAY(i, t_defend_conflict)
        fi;
        defended(i);
        oth[i] = 0; pc[i] = RUN }
    :: atomic { reach(i) && pc[i] == CLEANDATA ->
        if
        :: (datareg & K(i)) != 0 -> preempt_data(i, oth[i]); SAY(i, t_clean_data_ok)
        :: else -> SAY(i, t_clean_data_conflict)
        fi;
        oth[i] = 0;
        if
        :: susp[i] -> pc[i] = R_VERIFY
        :: else -> pc[i] = RUN
        fi }

    /* repair: registers on the data LUN again, with the writes held back until the lock was read after it */
    :: atomic { alive(i) && pc[i] == SUSPEND -> susp[i] = 1; pc[i] = R_LOCK; SAY(i, t_suspend) }
    :: atomic { reach(i) && pc[i] == R_LOCK ->
        register_lock(i); pc[i] = R_RESLOCK; SAY(i, t_repair_register_lock) }
    :: atomic { reach(i) && pc[i] == R_RESLOCK ->
        if
        :: (lockreg & K(i)) != 0 && (lockhold == 0 || lockhold == K(i)) ->
            lockhold = K(i); pc[i] = R_DATA; SAY(i, t_repair_reserve_lock_ok)
        :: else -> eject(i); SAY(i, t_repair_reserve_lock_conflict)
        fi }
    :: atomic { reach(i) && pc[i] == R_DATA ->
        register_data(i); pret[i] = 0; pc[i] = R_RESDATA; SAY(i, t_repair_register_data) }
    :: atomic { reach(i) && pc[i] == R_RESDATA ->
        if
        :: (datareg & K(i)) != 0 && (datahold == 0 || datahold == K(i)) -> datahold = K(i); SAY(i, t_repair_reserve_data_ok)
        :: else -> SAY(i, t_repair_reserve_data_conflict)
        fi;
#ifdef M_REPAIR_WITHOUT_VERIFY
        pc[i] = R_RESUME
#else
        pc[i] = R_VERIFY
#endif
        }
    :: atomic { reach(i) && pc[i] == R_VERIFY ->
        if
        :: LOST(i) -> eject(i)
        :: !LOST(i) && DAMAGED(i) -> pc[i] = R_LOCK
        :: !LOST(i) && !DAMAGED(i) && datareg != K(i) -> oth[i] = datareg & ~K(i); pc[i] = CLEANDATA
        :: !LOST(i) && !DAMAGED(i) && datareg == K(i) -> pc[i] = R_RESUME
        fi;
        SAY(i, t_repair_verify) }
    :: atomic { alive(i) && pc[i] == R_RESUME -> susp[i] = 0; pc[i] = RUN; SAY(i, t_resume) }

    /* lost: stop by force; what is suspended or does not go, the watchdog ends (a crash that no budget pays) */
    :: atomic { alive(i) && pc[i] == KILL ->
        if
#ifdef M_REJOIN_UNPROVEN
        :: pc[i] = INSPECT
#else
        :: !susp[i] -> bel[i] = 0; stale[i] = 0; pc[i] = INSPECT; SAY(i, t_killed)
#endif
        :: power_off(i); SAY(i, t_watchdog)
        fi }
    :: atomic { reach(i) && pc[i] == INSPECT ->
        SAY(i, t_inspect);
        if
        :: lockhold == K(i) -> pc[i] = STILL_OWN
        :: else -> back_out(i, CLEANUP)
        fi }
    :: atomic { reach(i) && pc[i] == CLEANUP ->
        unregister_data(i); pc[i] = WITHDRAW; SAY(i, t_clean_up) }
    /* All paths gone: kept for as long as the policy allows, which may be long. A successor that is heard ends it at once;
     * where somebody is not heard the address goes first. */
    :: atomic { LOOKS_IN_VAIN(i) && !left_alone[i] && !PATIENT ->
        SAY(i, t_give_up); not_adopted(i); addr[i] = 0; pc[i] = KILL }
    :: atomic { LOOKS_IN_VAIN(i) && TOLD(i) -> SAY(i, t_believe); not_adopted(i); eject(i) }
    :: atomic { LOOKS_IN_VAIN(i) && addr[i] && UNHEARD(i) -> SAY(i, t_let_go); addr[i] = 0 }
    /* a command that gets no answer: only a look tells what it did */
    :: atomic { alive(i) && !storage(i) && AWAITS(i) ->
        if
        :: pc[i] == STRIKE -> pc[i] = DOUBT
        :: (pc[i] >= SWEEP && pc[i] <= NOTE) || pc[i] == REGLOCK -> oth[i] = 0; pc[i] = RECHECK
        :: pc[i] == DEFEND || pc[i] == CLEANDATA -> oth[i] = 0; pc[i] = (susp[i] -> R_VERIFY : RUN)
        :: pc[i] >= R_LOCK && pc[i] <= R_RESDATA -> pc[i] = R_VERIFY
        fi;
        SAY(i, t_no_answer) }
    /* An agent that comes back beside the running package takes it up with the key that it runs under, or ends it. Maps may
     * have been left suspended. */
    :: atomic { reach(i) && pc[i] == ADOPT ->
        SAY(i, t_adopt);
        if
        :: lockhold == K(i) || (lockhold == 0 && lockreg == 0 && stale[i] == 0) ->
            if
            :: LOST(i) -> eject(i)
            :: !LOST(i) && detached_note -> addr[i] = 1; pc[i] = DETACHED
#ifdef M_ADOPT_SUSPENDED
            :: !LOST(i) && !detached_note -> addr[i] = 1; pc[i] = RUN
#else
            :: !LOST(i) && !detached_note -> addr[i] = 1; pc[i] = R_RESUME
#endif
            fi
        :: else -> not_adopted(i); eject(i)
        fi;
        left_alone[i] = 0 }

    /* the ordered way down: unmount, then the keys */
    :: atomic { alive(i) && pc[i] == UNMOUNT ->
#ifndef M_ADDRESS_STAYS
        addr[i] = 0;
#endif
#ifdef M_RELEASE_FIRST
        pc[i] = RELDATA;
#else
        bel[i] = 0; stale[i] = 0; pc[i] = RELDATA;
#endif
        SAY(i, t_unmount) }
    :: atomic { reach(i) && pc[i] == RELDATA ->
        if
        :: SAY(i, t_keep_data)
        :: OTHERS_AT_REST(i) -> unregister_data(i); SAY(i, t_release_data)
        fi;
        pc[i] = WITHDRAW }

    :: atomic { reach(i) && pc[i] == RUN && stops < STOPS && ALL_OWN(i) && !pret[i] ->
        stops++; pc[i] = UNMOUNT; SAY(i, t_stop) }
    :: atomic { reach(i) && pc[i] == RUN && detaches < DETACHES && ALL_OWN(i) && !pret[i] ->
        detaches++; detached_note = 1; pc[i] = DETACHED; SAY(i, t_detach) }
    :: atomic { reach(i) && pc[i] == DETACHED ->
        if
        :: LOST(i) -> detached_note = 0; eject(i)
        :: else -> detached_note = 0; pc[i] = RUN
        fi;
        SAY(i, t_attach) }
    od
}

/* -- faults: each has a budget; what is not forever heals at any later moment ------------------------------- */

proctype faults(byte i) {
    do
    :: atomic { crashes < CRASHES && up[i] && NUMBERED(i) ->
        MEET(i); crashes++; power_off(i); HURT(i); FAULT(i, crash); heals_or_not(i) }
    :: atomic { !up[i] && !FOREVER(i) && ((lockreg | datareg) & OLD(i)) == 0 ->
        up[i] = 1;
        new_key(i);
        if
        :: detached_note && ((lockhold & MINE(i)) != 0) -> detached_note = 0
        :: else
        fi;
        FAULT(i, boot) }
    :: atomic { freezes < FREEZES && alive(i) && NUMBERED(i) -> MEET(i); freezes++; frozen[i] = 1; HURT(i); FAULT(i, freeze) }
    :: atomic { frozen[i] -> frozen[i] = 0; FAULT(i, thaw) }
    /* An agent that dies beside a running package; without one a node is at rest, and this is no more than a crash, and in a
     * stop by force the watchdog is unfed already. What it leaves for the next one is whether the others stand off. */
    :: atomic { agents < AGENTS && alive(i) && bel[i] && pc[i] != KILL ->
        agents++; dead[i] = 1; left_alone[i] = (pc[i] == DETACHED); HURT(i); go(i, ADOPT); FAULT(i, agent_killed);
        heals_or_not(i) }
    :: atomic { dead[i] && !frozen[i] && !FOREVER(i) -> dead[i] = 0; FAULT(i, agent_back) }
#ifndef M_NO_WATCHDOG
    :: atomic { dead[i] && !frozen[i] -> power_off(i); FAULT(i, watchdog) }
#endif
    :: atomic { losses < LOSSES && unheard[i] == 0 && NUMBERED(i) && MAY_HEAR_LESS(i) ->
        MEET(i); losses++;
        if
        :: i != 0 -> unheard[i] = 1; FAULT(i, unheard_0)
        :: i != 1 -> unheard[i] = 2; FAULT(i, unheard_1)
#if N > 2
        :: i != 2 -> unheard[i] = 4; FAULT(i, unheard_2)
#endif
        fi;
        heals_or_not(i) }
    :: atomic { unheard[i] != 0 && !FOREVER(i) -> unheard[i] = 0; spent[i] = spent[i] & ~1; FAULT(i, heard) }
    :: atomic { paths < PATHS && path[i] && NUMBERED(i) && MAY_LOSE_PATHS(i) ->
        MEET(i); paths++; path[i] = 0; HURT(i); FAULT(i, no_path); heals_or_not(i) }
    :: atomic { !path[i] && !FOREVER(i) -> path[i] = 1; FAULT(i, path_back) }
    :: atomic { returns < RETURNS && bel[i] && pc[i] == RUN -> returns++; pret[i] = 1; FAULT(i, path_returned) }
    :: atomic { wits < WITS && wit[i] && NUMBERED(i) -> MEET(i); wits++; wit[i] = 0; HURT(i); FAULT(i, isolated); heals_or_not(i) }
    :: atomic { !wit[i] && !FOREVER(i) -> wit[i] = 1; FAULT(i, connected) }
    od
}

proctype shared_faults() {
    do
    :: atomic { hbcuts < HBCUTS && !hbcut -> hbcuts++; hbcut = 1; FAULT(N, heartbeat_cut) }
    :: atomic { clears < CLEARS -> clears++;
        if
        :: lockreg = 0; lockhold = 0
        :: datareg = 0; datahold = 0
        :: lockreg = 0; lockhold = 0; datareg = 0; datahold = 0
        fi;
        FAULT(N, keys_lost) }
    :: atomic { arrays < ARRAYS && !array_down -> arrays++; array_down = 1; FAULT(N, array_off) }
    :: atomic { array_down -> array_down = 0; FAULT(N, array_on) }
    od
}

/* -- invariants -------------------------------------------------------------------------------------------- */

#if N > 2
#define COUNT(what) (what(0) + what(1) + what(2))
#define ALL_OF(what) (what(0) && what(1) && what(2))
#else
#define COUNT(what) (what(0) + what(1))
#define ALL_OF(what) (what(0) && what(1))
#endif
#if CLEARS > 0
/* Reservations were lost: while the data LUN has none, the array cannot arbitrate. And it cannot tell a node from the one
 * that followed it: who registers first is the owner. */
#define ARBITRATES (datahold != 0)
#define wrong_holder(i) (stale[i] != 0 && (lockhold == K(i) || datahold == K(i)))
#define REMEMBERS (ARBITRATES && COUNT(wrong_holder) == 0)
#else
#define ARBITRATES (1)
#define REMEMBERS (1)
#endif
#define CHALLENGES(i) (pc[i] == LOOK || pc[i] == STRIKE || pc[i] == DOUBT)

/* A node that was followed may have the address beside its successor only for a reason that ends it within a bound
 * (docs/ownership.md): its agent is dead, which the watchdog ends; it reaches the array, and its next look shows the loss;
 * it does not, and hears its successor, or will as soon as the agent there has looked; it does not, and somebody is not
 * heard. */
#define lets_go(i) (dead[i] || (storage(i) -> WATCHES(i) && LOSS_SEEN(i) : \
    ACTS(i) && (FOLLOWED(i) || UNHEARD(i))))
#define has_address(i) (runs(i) && addr[i])
#define has_mount(i) (runs(i) && bel[i])
#define keeps_address(i) (has_address(i) && !lets_go(i))
/* A mount also ends with every stop under way, and with all paths gone for long. */
#define keeps_mount(i) (has_mount(i) && pc[i] != KILL && pc[i] != UNMOUNT && storage(i) && !lets_go(i))

/* Set where a property does not hold, so that pan names it. */
bit two_writers, two_addresses, two_mounts, address_without_mount, challenger_on_data, late_write, not_served;

#define ONE_WRITER (!ARBITRATES || COUNT(writes) <= 1)
#define ONE_ADDRESS (!REMEMBERS || COUNT(keeps_address) <= 1)
#define ONE_MOUNT (!REMEMBERS || COUNT(keeps_mount) <= 1)
#define ADDRESS_WITH_MOUNT(i) (!addr[i] || bel[i])
/* A registration on a data LUN that is reserved is write permission: nobody gets one for a challenge. The last owner,
 * stopped clean and followed by nobody yet, still has its own. */
#define CHALLENGER_OFF_DATA(i) (!CHALLENGES(i) || (datareg & K(i)) == 0 || datahold == K(i) || !ARBITRATES)
/* Somebody read everything back as his own after this node did: what this one has not written yet must never arrive. */
#define NO_LATE_WRITE(i) (CLEARS > 0 || stale[i] == 0 || !writes(i))

active proctype invariants() {
end:
    if
    :: atomic { !ONE_WRITER -> two_writers = 1; assert(!two_writers) }
    :: atomic { !ONE_ADDRESS -> two_addresses = 1; assert(!two_addresses) }
    :: atomic { !ONE_MOUNT -> two_mounts = 1; assert(!two_mounts) }
    :: atomic { !ALL_OF(ADDRESS_WITH_MOUNT) -> address_without_mount = 1; assert(!address_without_mount) }
    :: atomic { !ALL_OF(CHALLENGER_OFF_DATA) -> challenger_on_data = 1; assert(!challenger_on_data) }
    :: atomic { !ALL_OF(NO_LATE_WRITE) -> late_write = 1; assert(!late_write) }
    fi
}

#if defined(PROGRESS) && !defined(TRACE)
#define SERVES(i) (alive(i) && wit[i] && bel[i] && addr[i] && !susp[i] && lockhold == K(i) && datahold == K(i))
/* Nothing can move any more: a healthy, connected node must own the package, and whoever was followed has let go. */
active proctype final() {
end: atomic { timeout ->
        not_served = COUNT(healthy) > 0 && COUNT(SERVES) == 0 && !detached_note;
        two_addresses = COUNT(has_address) > 1;
        two_mounts = COUNT(has_mount) > 1;
        assert(!not_served);
        assert(!two_addresses);
#ifndef PATIENCE
        assert(!two_mounts);
#endif
        skip }
}
#endif

init {
    atomic {
        byte n = 0;
        do
        :: n < N -> up[n] = 1; path[n] = 1; wit[n] = 1; run node(n); run faults(n); n++
        :: else -> break
        od;
        run shared_faults()
    }
}
