/* The ownership protocol of one package on N nodes and one array, for spin. Read with docs/ownership.md.
 *
 * One storage command of agent/holdfast_agent/core is one atomic step here, because that is what it is for the array.
 * Between any two steps a node may be frozen or die, so a command decided before a freeze takes effect after it, past
 * every check of the node: that is the case that breaks naive fencing. There is no time. A challenge may begin at any
 * moment and strike as soon as it likes (checks SAFE*): lost, late and forged heartbeats are all inside that. Where a
 * property needs the wait W (STAY), the wait is "a victim that was healthy all along has finished a round".
 *
 * Keys: two bits per node, the key of the present and of the other epoch. lockreg/datareg: registered keys;
 * lockhold/datahold: key of the holder, 0 for none. All LUNs of a kind are one LUN, all paths of a node are one path;
 * a path that returns without a registration is the event pret.
 *
 * -DN=2|3, budgets -DCRASHES= -DFREEZES= -DPATHS= -DRETURNS= -DHBCUTS= -DWITS= -DSTOPS= -DDETACHES= -DCLEARS=
 * -DPROGRESS (challenges need evidence, final state is checked), -DSTAY (W is honoured, a healthy owner stays)
 * -DM_... removes one guard (see check.py).
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
#ifndef PATHS
#define PATHS 0
#endif
#ifndef RETURNS
#define RETURNS 0
#endif
#ifndef HBCUTS
#define HBCUTS 0
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

#define K(i) (1 << (2 * (i) + e[i]))
#define OLD(i) (1 << (2 * (i) + 1 - e[i]))
#define MINE(i) (3 << (2 * (i)))

byte lockreg, lockhold, datareg, datahold;
bit detached_note;

bit up[N], frozen[N], path[N], wit[N], e[N];
bit bel[N], susp[N], addr[N], pret[N], forever[N];
byte pc[N], vic[N], oth[N], vn[N];
bit hbcut;
byte spent[N];
bit accused_by[N];
bit hw[N], rounded[N];
bit seen[N];
byte crashes, freezes, paths, returns, hbcuts, wits, stops, detaches, clears;
byte victim_node;

#define alive(i) (up[i] && !frozen[i])
#define healthy(i) (alive(i) && path[i] && wit[i])
#define accepted(i) (datahold == 0 || (datareg & K(i)) != 0)
#define writes(i) (bel[i] && !susp[i] && accepted(i))

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

#define EV(j) ((hbcut | ((!alive(j)) << 1) | ((!path[j]) << 2) | ((!wit[j]) << 3)))
#ifdef M_NO_SPENT
#define UNSPENT(i, j) (EV(j) != 0)
#else
#define UNSPENT(i, j) ((EV(j) & ~spent[i]) != 0)
#endif
#ifdef PROGRESS
#define MAY_ACCUSE(i, j) (wit[i] && UNSPENT(i, j))
#define BUSY(j) (up[j] && !frozen[j] && bel[j] && !hbcut)
#else
#ifdef STAY
#define MAY_ACCUSE(i, j) (1)
#define BUSY(j) (up[j] && !frozen[j] && bel[j])
#else
#define MAY_ACCUSE(i, j) (1)
#define BUSY(j) (0)
#endif
#endif
#define ACCUSED2(i, j) ((lockhold & MINE(j)) != 0 && MAY_ACCUSE(i, j))
#if N > 2
#define ACCUSED(i) (ACCUSED2(i, 0) || ACCUSED2(i, 1) || ACCUSED2(i, 2))
#else
#define ACCUSED(i) (ACCUSED2(i, 0) || ACCUSED2(i, 1))
#endif
#ifdef M_NO_STANDOFF
#define STANDOFF (0)
#else
#define STANDOFF (detached_note)
#endif

/* -- the wait: a victim that was healthy since the registration has finished a defence --------------------- */

#ifdef STAY
#ifdef M_NO_WAIT
#define WAITED(i) (1)
#else
/* Only a holder that is on its way to the mount or has it mounted defends; the others have nothing to defend. */
#define DEFENDS(p) ((p >= RECHECK && p <= R_RESUME) || p == SUSPEND)
#define WAITED(i) (!hw[i] || rounded[i] || lockhold != vic[i] || !DEFENDS(pc[vn[i]]))
#endif
inline start_wait(i) {
    node_of(vic[i]);
    rounded[i] = 0;
    hw[i] = 0;
    if
    :: victim_node < N && victim_node != i && healthy(victim_node) && lockhold == vic[i] ->
        hw[i] = 1; vn[i] = victim_node
    :: else
    fi
}
#ifdef M_NO_DEFEND
#define ANSWERED(x) 1
#else
#define ANSWERED(x) ((lockreg & MINE(x)) == 0)
#endif
/* node i, the holder, has looked and removed what it found: the waits against it may end */
inline defended(i) {
    if
    :: (vic[0] & K(i)) != 0 && ANSWERED(0) -> rounded[0] = 1
    :: else
    fi;
    if
    :: (vic[1] & K(i)) != 0 && ANSWERED(1) -> rounded[1] = 1
    :: else
    fi
#if N > 2
    ;
    if
    :: (vic[2] & K(i)) != 0 && ANSWERED(2) -> rounded[2] = 1
    :: else
    fi
#endif
}
inline unwell(j) {
    if
    :: hw[0] && (vic[0] & MINE(j)) != 0 -> hw[0] = 0
    :: else
    fi;
    if
    :: hw[1] && (vic[1] & MINE(j)) != 0 -> hw[1] = 0
    :: else
    fi
#if N > 2
    ;
    if
    :: hw[2] && (vic[2] & MINE(j)) != 0 -> hw[2] = 0
    :: else
    fi
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

mtype = {
    t_own_past, t_begin, t_register, t_look, t_reserve_ok, t_strike_ok, t_strike_conflict, t_doubt, t_unregister_lock, t_recheck,
    t_sweep_ok, t_sweep_conflict, t_register_data, t_check_lock, t_preempt_data_ok, t_preempt_data_conflict,
    t_reserve_data_ok, t_reserve_data_conflict, t_note_ok, t_note_conflict, t_verify, t_register_lock, t_back_out, t_mount,
    t_serve, t_round, t_defend_ok, t_defend_conflict, t_clean_data_ok, t_clean_data_conflict, t_suspend,
    t_repair_register_lock, t_repair_reserve_lock_ok, t_repair_reserve_lock_conflict, t_repair_register_data,
    t_repair_reserve_data_ok, t_repair_reserve_data_conflict, t_repair_verify, t_resume, t_killed, t_watchdog, t_inspect,
    t_clean_up, t_give_up, t_unmount, t_release_data, t_stop, t_detach, t_attach
};
#define SAY(i, what) printf("STEP %d %e lock %d %d data %d %d vic %d oth %d\n", i, what, lockreg, lockhold, datareg, datahold, vic[i], oth[i])

#if N > 2
#define WRITERS (writes(0) + writes(1) + writes(2))
#else
#define WRITERS (writes(0) + writes(1))
#endif

/* -- invariants -------------------------------------------------------------------------------------------- */

inline check() {
#if CLEARS > 0
    /* Reservations were lost: while the data LUN has none, the array cannot arbitrate. Otherwise as always. */
    assert(datahold == 0 || WRITERS <= 1);
#else
    assert(WRITERS <= 1);
#endif
    assert(!addr[0] || bel[0]);
    assert(!addr[1] || bel[1])
}

inline defeated(i) {
    /* Only a cut heartbeat outlasts a lost challenge: who is down, isolated or without storage does not defend. */
    spent[i] = spent[i] | accused_by[i];
    vic[i] = 0;
    pc[i] = IDLE
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
#ifdef STAY
bit unhurt[N];
#define BEGINS_UNHURT(i) unhurt[i] = wit[i]
#else
#define BEGINS_UNHURT(i) skip
#endif

/* -- one node ---------------------------------------------------------------------------------------------- */

#define LOCK_LOST(i) (((lockreg & K(i)) == 0 && lockreg != 0) || (lockhold != 0 && lockhold != K(i)))
#define DATA_LOST(i) (((datareg & K(i)) == 0 && datareg != 0) || (datahold != 0 && datahold != K(i)))
#define LOST(i) (LOCK_LOST(i) || DATA_LOST(i))
#define EMPTY (lockreg == 0 || datareg == 0)
#define BARE(i) (lockhold != K(i) || datahold != K(i))
#define ALL_OWN(i) (lockreg == K(i) && lockhold == K(i) && datareg == K(i) && datahold == K(i))
#define PEER_READY(i) ((i != 0 && healthy(0) && pc[0] == IDLE) || (i != 1 && healthy(1) && pc[1] == IDLE) PEER2(i))
#if N > 2
#define PEER2(i) || (i != 2 && healthy(2) && pc[2] == IDLE)
#define ANY_BUSY (BUSY(0) || BUSY(1) || BUSY(2))
#else
#define PEER2(i)
#define ANY_BUSY (BUSY(0) || BUSY(1))
#endif
#ifdef M_ISOLATED_DEFENDS
#define GIVES_WAY(i) (0)
#else
#define GIVES_WAY(i) (!wit[i])
#endif

proctype node(byte i) {
    do
    :: atomic { alive(i) && path[i] && pc[i] == IDLE && !STANDOFF && (lockhold & MINE(i)) != 0 ->
        vic[i] = lockhold;
        if
        :: lockhold == K(i) -> pc[i] = RECHECK
        :: else -> pc[i] = REG
        fi;
        SAY(i, t_own_past) }
    :: atomic { alive(i) && path[i] && pc[i] == IDLE && !STANDOFF && lockhold == 0 && !ANY_BUSY && wit[i] ->
        vic[i] = 0; pc[i] = REG;
        SAY(i, t_begin) }
    :: atomic { alive(i) && path[i] && pc[i] == IDLE && !STANDOFF && (lockhold & MINE(i)) == 0 && ACCUSED(i) ->
        vic[i] = lockhold; accused_by[i] = hbcut; pc[i] = REG;
        SAY(i, t_begin) }
    :: atomic { alive(i) && path[i] && pc[i] == REG ->
        register_lock(i);
#ifdef M_CHALLENGER_ON_DATA
        register_data(i);
#endif
        start_wait(i);
        pc[i] = LOOK;
        SAY(i, t_register); check() }
    :: atomic { alive(i) && path[i] && pc[i] == LOOK && WAITED(i) ->
        SAY(i, t_look);
        node_of(vic[i]);
        if
        :: STANDOFF -> pc[i] = WITHDRAW
        :: else ->
            if
            :: (lockreg & K(i)) == 0 && lockreg != 0 -> defeated(i)
            :: (lockreg & K(i)) == 0 && lockreg == 0 -> vic[i] = 0; pc[i] = REG
            :: (lockreg & K(i)) != 0 && lockhold == K(i) -> pc[i] = RECHECK
            :: (lockreg & K(i)) != 0 && lockhold != K(i) && lockhold == vic[i] -> pc[i] = STRIKE
            :: (lockreg & K(i)) != 0 && lockhold == 0 && vic[i] != 0 -> vic[i] = 0; start_wait(i)
            :: (lockreg & K(i)) != 0 && lockhold != 0 && lockhold != K(i) && lockhold != vic[i] -> pc[i] = WITHDRAW
            fi
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == STRIKE ->
        if
        :: vic[i] == 0 && (lockreg & K(i)) != 0 && (lockhold == 0 || lockhold == K(i)) ->
            lockhold = K(i); pc[i] = RECHECK; SAY(i, t_reserve_ok)
        :: vic[i] != 0 && (lockreg & K(i)) != 0 && (lockreg & vic[i]) != 0 ->
            preempt_lock(i, vic[i]); pc[i] = RECHECK; SAY(i, t_strike_ok)
        :: else ->
#ifdef M_CONFLICT_WINS
            pc[i] = REGDATA;
#else
            pc[i] = DOUBT;
#endif
            SAY(i, t_strike_conflict)
        fi;
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == DOUBT ->
        SAY(i, t_doubt);
        node_of(vic[i]);
        if
        :: (lockreg & K(i)) == 0 && lockreg != 0 -> defeated(i)
        :: (lockreg & K(i)) == 0 && lockreg == 0 -> vic[i] = 0; pc[i] = REG
        :: (lockreg & K(i)) != 0 && lockhold == K(i) -> pc[i] = RECHECK
        :: (lockreg & K(i)) != 0 && lockhold == 0 -> vic[i] = 0; start_wait(i); pc[i] = LOOK
        :: (lockreg & K(i)) != 0 && lockhold != 0 && lockhold == vic[i] -> start_wait(i); pc[i] = LOOK
        :: (lockreg & K(i)) != 0 && lockhold != 0 && lockhold != K(i) && lockhold != vic[i] -> pc[i] = WITHDRAW
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == WITHDRAW ->
        unregister_lock(i); vic[i] = 0; pc[i] = IDLE;
        SAY(i, t_unregister_lock); check() }

    /* won the lock LUN: the order of the following steps is the safety argument */
    :: atomic { alive(i) && path[i] && pc[i] == RECHECK ->
        SAY(i, t_recheck);
        oth[i] = lockreg & ~K(i);
        if
        :: lockhold != K(i) -> oth[i] = 0; pc[i] = BACKOUT
        :: lockhold == K(i) && oth[i] != 0 -> pc[i] = SWEEP
        :: else -> pc[i] = REGDATA
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == SWEEP ->
        if
        :: (lockreg & K(i)) != 0 && (oth[i] & ~lockreg) == 0 ->
            preempt_lock(i, oth[i]); defended(i); pc[i] = REGDATA; oth[i] = 0; SAY(i, t_sweep_ok)
        :: (lockreg & K(i)) != 0 && (oth[i] & ~lockreg) != 0 ->
            preempt_lock(i, oth[i]); defended(i); pc[i] = RECHECK; oth[i] = 0; SAY(i, t_sweep_conflict)
        :: else -> pc[i] = RECHECK; oth[i] = 0; SAY(i, t_sweep_conflict)
        fi;
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == REGDATA ->
        register_data(i); pret[i] = 0; pc[i] = CHECKLOCK;
        SAY(i, t_register_data); check() }
    :: atomic { alive(i) && path[i] && pc[i] == CHECKLOCK ->
        SAY(i, t_check_lock);
        oth[i] = (datareg | datahold) & ~K(i);
        if
#ifndef M_NO_LOCK_CHECK
        :: lockhold != K(i) -> oth[i] = 0; pc[i] = BACKOUT
        :: lockhold == K(i) && oth[i] != 0 -> pc[i] = PREDATA
#else
        :: oth[i] != 0 -> pc[i] = PREDATA
#endif
        :: else -> pc[i] = RESDATA
        fi;
#ifdef M_NO_DATA_PREEMPT
        if
        :: pc[i] == PREDATA -> oth[i] = 0; pc[i] = MOUNT
        :: else
        fi
#endif
        skip }
    :: atomic { alive(i) && path[i] && pc[i] == PREDATA ->
        if
        :: (datareg & K(i)) != 0 -> preempt_data(i, oth[i]); pc[i] = RESDATA; SAY(i, t_preempt_data_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_preempt_data_conflict)
        fi;
        oth[i] = 0; check() }
    :: atomic { alive(i) && path[i] && pc[i] == RESDATA ->
#ifdef M_NO_RESERVE_DATA
        pc[i] = MOUNT;
#else
        if
        :: (datareg & K(i)) != 0 && (datahold == 0 || datahold == K(i)) ->
            datahold = K(i); pc[i] = NOTE; SAY(i, t_reserve_data_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_reserve_data_conflict)
        fi;
#endif
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == NOTE ->
        if
        :: lockhold == 0 || (lockreg & K(i)) != 0 -> pc[i] = VERIFY; SAY(i, t_note_ok)
        :: else -> pc[i] = RECHECK; SAY(i, t_note_conflict)
        fi;
#ifdef M_NO_VERIFY
        pc[i] = MOUNT
#endif
        skip }
    :: atomic { alive(i) && path[i] && pc[i] == VERIFY ->
        SAY(i, t_verify);
        oth[i] = 0;
        if
#ifndef M_NO_LOCK_CHECK
        :: lockhold != K(i) || LOST(i) -> pc[i] = BACKOUT
        :: lockhold == K(i) && !LOST(i) && ALL_OWN(i) -> seen[i] = 1; BEGINS_UNHURT(i); pc[i] = MOUNT
        :: lockhold == K(i) && !LOST(i) && !ALL_OWN(i) ->
#ifdef M_SWEEP_UNSEEN
            oth[i] = lockreg & ~K(i); pc[i] = REGLOCK
#else
            pc[i] = RECHECK
#endif
#else
        :: datareg == K(i) && datahold == K(i) -> seen[i] = (lockhold == K(i)); pc[i] = MOUNT
        :: else -> pc[i] = BACKOUT
#endif
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == REGLOCK ->
        register_lock(i); SAY(i, t_register_lock);
        if
        :: oth[i] != 0 -> pc[i] = SWEEP
        :: else -> pc[i] = REGDATA
        fi;
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == BACKOUT ->
        unregister_data(i); pc[i] = WITHDRAW;
        SAY(i, t_back_out); check() }
    :: atomic { alive(i) && pc[i] == MOUNT ->
        /* I3: decided on one look that showed the own key alone on everything */
        assert(seen[i]);
        seen[i] = 0;
        bel[i] = 1; pc[i] = ADDR;
        SAY(i, t_mount); check() }
    :: atomic { alive(i) && pc[i] == ADDR ->
        addr[i] = 1; vic[i] = 0; pc[i] = RUN; SAY(i, t_serve); check() }

    /* the package is mounted: one round looks at everything; a round that finds nothing new is not a step */
    :: atomic { alive(i) && path[i] && pc[i] == RUN && (!ALL_OWN(i) || pret[i] || (!wit[i] && PEER_READY(i) && !hbcut)) ->
        oth[i] = 0;
        if
        :: LOST(i) -> eject(i)
        :: !LOST(i) && (EMPTY || BARE(i) || pret[i]) ->
#ifdef M_EMPTY_IS_LOST
            eject(i)
#else
#ifdef M_NO_SUSPEND
            pc[i] = R_LOCK
#else
            pc[i] = SUSPEND
#endif
#endif
        :: !LOST(i) && !EMPTY && !BARE(i) && !pret[i] && datareg != K(i) -> oth[i] = datareg & ~K(i); pc[i] = CLEANDATA
        :: !LOST(i) && !EMPTY && !BARE(i) && !pret[i] && datareg == K(i) && lockreg != K(i) ->
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
        SAY(i, t_round); check() }
    :: atomic { alive(i) && path[i] && pc[i] == DEFEND ->
        if
        :: (lockreg & K(i)) != 0 -> preempt_lock(i, oth[i]); SAY(i, t_defend_ok)
        :: else -> SAY(i, t_defend_conflict)
        fi;
        defended(i);
        oth[i] = 0; pc[i] = RUN; check() }
    :: atomic { alive(i) && path[i] && pc[i] == CLEANDATA ->
        if
        :: (datareg & K(i)) != 0 -> preempt_data(i, oth[i]); SAY(i, t_clean_data_ok)
        :: else -> SAY(i, t_clean_data_conflict)
        fi;
        oth[i] = 0;
        if
        :: susp[i] -> pc[i] = R_VERIFY
        :: else -> pc[i] = RUN
        fi;
        check() }

    /* repair: registers on the data LUN again, with the writes held back until the lock was read after it */
    :: atomic { alive(i) && pc[i] == SUSPEND -> susp[i] = 1; pc[i] = R_LOCK; SAY(i, t_suspend) }
    :: atomic { alive(i) && path[i] && pc[i] == R_LOCK ->
        register_lock(i); pc[i] = R_RESLOCK; SAY(i, t_repair_register_lock);
#ifdef M_REPAIR_WITHOUT_LOCK
        pc[i] = R_DATA;
#endif
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == R_RESLOCK ->
        if
        :: (lockreg & K(i)) != 0 && (lockhold == 0 || lockhold == K(i)) ->
            lockhold = K(i); pc[i] = R_DATA; SAY(i, t_repair_reserve_lock_ok)
        :: else -> eject(i); SAY(i, t_repair_reserve_lock_conflict)
        fi;
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == R_DATA ->
        register_data(i); pret[i] = 0; pc[i] = R_RESDATA; SAY(i, t_repair_register_data); check() }
    :: atomic { alive(i) && path[i] && pc[i] == R_RESDATA ->
        if
        :: (datareg & K(i)) != 0 && (datahold == 0 || datahold == K(i)) -> datahold = K(i); SAY(i, t_repair_reserve_data_ok)
        :: else -> SAY(i, t_repair_reserve_data_conflict)
        fi;
        pc[i] = R_VERIFY;
#ifdef M_REPAIR_WITHOUT_VERIFY
        pc[i] = R_RESUME;
#endif
        check() }
    :: atomic { alive(i) && path[i] && pc[i] == R_VERIFY ->
        if
#ifdef M_REPAIR_WITHOUT_LOCK
        :: datahold == K(i) && datareg == K(i) -> pc[i] = R_RESUME
        :: else -> eject(i)
#else
        :: LOST(i) -> eject(i)
        :: !LOST(i) && (EMPTY || BARE(i) || pret[i]) -> pc[i] = R_LOCK
        :: !LOST(i) && !(EMPTY || BARE(i) || pret[i]) && datareg != K(i) -> oth[i] = datareg & ~K(i); pc[i] = CLEANDATA
        :: !LOST(i) && !(EMPTY || BARE(i) || pret[i]) && datareg == K(i) -> pc[i] = R_RESUME
#endif
        fi;
        SAY(i, t_repair_verify); check() }
    :: atomic { alive(i) && pc[i] == R_RESUME -> susp[i] = 0; pc[i] = RUN; SAY(i, t_resume); check() }

    /* lost: stop by force; what is suspended or does not go, the watchdog ends (a crash that no budget pays) */
    :: atomic { alive(i) && pc[i] == KILL ->
        if
        :: !susp[i] -> bel[i] = 0; pc[i] = INSPECT; SAY(i, t_killed)
        :: up[i] = 0; bel[i] = 0; addr[i] = 0; susp[i] = 0; pret[i] = 0; vic[i] = 0; oth[i] = 0; seen[i] = 0; pc[i] = IDLE; SAY(i, t_watchdog)
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == INSPECT ->
        SAY(i, t_inspect);
        if
        :: lockhold == K(i) -> pc[i] = IDLE
        :: else -> pc[i] = CLEANUP
        fi }
    :: atomic { alive(i) && path[i] && pc[i] == CLEANUP ->
        unregister_data(i); pc[i] = WITHDRAW; SAY(i, t_clean_up); check() }
    /* all paths gone for as long as the policy allows */
    :: atomic { alive(i) && !path[i] && bel[i] && pc[i] >= RUN && (pc[i] <= R_RESUME || pc[i] == SUSPEND) ->
        addr[i] = 0; oth[i] = 0; pc[i] = KILL; SAY(i, t_give_up) }

    /* the ordered way down: unmount, then the keys */
    :: atomic { alive(i) && pc[i] == UNMOUNT ->
#ifdef M_RELEASE_FIRST
        pc[i] = RELDATA;
#else
        bel[i] = 0; pc[i] = RELDATA;
#endif
        SAY(i, t_unmount) }
    :: atomic { alive(i) && path[i] && pc[i] == RELDATA ->
        unregister_data(i); pc[i] = WITHDRAW; SAY(i, t_release_data); check() }

    :: atomic { alive(i) && path[i] && pc[i] == RUN && stops < STOPS && ALL_OWN(i) && !pret[i] ->
        stops++; addr[i] = 0; pc[i] = UNMOUNT; SAY(i, t_stop) }
    :: atomic { alive(i) && path[i] && pc[i] == RUN && detaches < DETACHES && ALL_OWN(i) && !pret[i] ->
        detaches++; detached_note = 1; pc[i] = DETACHED; SAY(i, t_detach) }
    :: atomic { alive(i) && path[i] && pc[i] == DETACHED ->
        if
        :: LOST(i) -> detached_note = 0; eject(i)
        :: else -> detached_note = 0; pc[i] = RUN
        fi;
        SAY(i, t_attach) }
    od
}

/* -- faults: each has a budget; what is not forever heals at any later moment ------------------------------- */

#ifdef STAY
#define HURT(i) unhurt[i] = 0; unwell(i)
#else
#define HURT(i) skip
#endif

proctype faults(byte i) {
    do
    :: atomic { crashes < CRASHES && up[i] ->
        crashes++; up[i] = 0; frozen[i] = 0; bel[i] = 0; addr[i] = 0; susp[i] = 0; pret[i] = 0; vic[i] = 0; oth[i] = 0; seen[i] = 0;
        pc[i] = IDLE; HURT(i); printf("FAULT %d crash\n", i);
        if
        :: skip
        :: forever[i] = 1
        fi }
    :: atomic { !up[i] && !forever[i] && ((lockreg | datareg) & OLD(i)) == 0 ->
        up[i] = 1; e[i] = 1 - e[i]; spent[i] = 0;
        if
        :: detached_note && ((lockhold & MINE(i)) != 0) -> detached_note = 0
        :: else
        fi;
        printf("FAULT %d boot\n", i) }
    :: atomic { freezes < FREEZES && alive(i) -> freezes++; frozen[i] = 1; HURT(i); printf("FAULT %d freeze\n", i) }
    :: atomic { frozen[i] -> frozen[i] = 0; printf("FAULT %d thaw\n", i) }
    :: atomic { paths < PATHS && path[i] -> paths++; path[i] = 0; HURT(i); printf("FAULT %d no-path\n", i);
        if
        :: skip
        :: forever[i] = 1
        fi }
    :: atomic { !path[i] && !forever[i] -> path[i] = 1; printf("FAULT %d path\n", i) }
    :: atomic { returns < RETURNS && bel[i] && pc[i] == RUN -> returns++; pret[i] = 1; printf("FAULT %d path-returned\n", i) }
    :: atomic { wits < WITS && wit[i] -> wits++; wit[i] = 0; HURT(i); printf("FAULT %d isolated\n", i);
        if
        :: skip
        :: forever[i] = 1
        fi }
    :: atomic { !wit[i] && !forever[i] -> wit[i] = 1; printf("FAULT %d connected\n", i) }
    od
}

proctype shared_faults() {
    do
    :: atomic { hbcuts < HBCUTS && !hbcut -> hbcuts++; hbcut = 1; printf("FAULT %d heartbeat-cut\n", N) }
    :: atomic { clears < CLEARS -> clears++;
        if
        :: lockreg = 0; lockhold = 0
        :: datareg = 0; datahold = 0
        :: lockreg = 0; lockhold = 0; datareg = 0; datahold = 0
        fi;
        printf("FAULT %d keys-lost\n", N) }
    od
}

#ifdef PROGRESS
#define SERVES(i) (alive(i) && bel[i] && addr[i] && !susp[i] && lockhold == K(i) && datahold == K(i))
#if N > 2
#define SERVED ((SERVES(0) && wit[0]) || (SERVES(1) && wit[1]) || (SERVES(2) && wit[2]))
#define ANY_HEALTHY (healthy(0) || healthy(1) || healthy(2))
#else
#define SERVED ((SERVES(0) && wit[0]) || (SERVES(1) && wit[1]))
#define ANY_HEALTHY (healthy(0) || healthy(1))
#endif
/* Nothing can move any more: a healthy, connected node must own the package. */
active proctype final() {
end: timeout -> assert(!ANY_HEALTHY || SERVED || detached_note)
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
